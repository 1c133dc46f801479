import { type CompiledModule, compiledPath, type LoadModule } from '../compiled.ts';
import type { BenchDatabase } from '../database.ts';
import type { Workload } from '../load/job.ts';
import { type LoadProcess, startLoadProcess } from '../load/load-process.ts';
import { startBroker } from './broker.ts';
import { startQueuePool } from './queue-pool.ts';
import { type ServiceProcess, startServiceProcess } from './service-process.ts';
import { databaseEnvironment, type Subject, type SubjectName } from './subject.ts';

const NO_STREAMS: readonly Workload['kind'][] = ['key', 'rows', 'insert', 'transaction', 'interactive'];
const QUERIES: readonly Workload['kind'][] = ['key', 'rows', 'insert'];

/** Starts everything that is measured, each with a database account of its own. What cannot be had is left out. */
export async function startSubjects(bench: BenchDatabase, load: LoadProcess): Promise<Subject[]> {
  const { server } = bench.database;
  const environment = async (user: string) => databaseEnvironment(server, await bench.account(user));
  const bare = async (module: CompiledModule, env: NodeJS.ProcessEnv) =>
    await startServiceProcess([process.execPath, compiledPath(module)], env);
  return [
    service('broker', await startBroker(server, await bench.account('broker')), load, undefined),
    service('floor', await bare('floor', await environment('floor')), load, NO_STREAMS),
    ownLoad('driver', 'pool-load', await environment('driver'), undefined),
    ownLoad('functions', 'function-load', await environment('functions'), ['key']),
    { ...service('echo', await bare('echo', {}), load, ['key']), user: undefined },
    service('connectEach', await bare('connect-each', await environment('connectEach')), load, QUERIES),
    ...(await ifAvailable(async () =>
      service('queuePool', await startQueuePool(await environment('queuePool')), load, QUERIES),
    )),
  ];
}

function service(
  name: SubjectName,
  { url, pid, stop }: ServiceProcess,
  load: LoadProcess,
  kinds: Subject['kinds'],
): Subject {
  return { name, user: name, pid, kinds, run: (job) => load.run({ ...job, url }), stop };
}

/** It is its own load process: there is no HTTP between. */
function ownLoad(
  name: SubjectName,
  module: LoadModule,
  env: NodeJS.ProcessEnv,
  kinds: Subject['kinds'],
): Subject {
  const { pid, run, [Symbol.dispose]: dispose } = startLoadProcess(module, env);
  return {
    name,
    user: name,
    pid,
    kinds,
    run: (job) => run({ ...job, url: '' }),
    stop: async () => dispose(),
  };
}

async function ifAvailable(start: () => Promise<Subject>): Promise<Subject[]> {
  try {
    return [await start()];
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    console.error(`Without Django and SQLAlchemy, which cannot be had here: ${reason}`);
    return [];
  }
}
