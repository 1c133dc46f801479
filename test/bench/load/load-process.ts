import { fork } from 'node:child_process';
import { once } from 'node:events';
import { compiledPath, type LoadModule } from '../compiled.ts';
import { type Job, Outcome } from './job.ts';

/** A process of its own that puts load on a subject, so that it shares no event loop with anything measured. */
export interface LoadProcess extends Disposable {
  readonly pid: number;
  run(job: Job): Promise<Outcome>;
}

export function startLoadProcess(module: LoadModule, env: NodeJS.ProcessEnv = {}): LoadProcess {
  const child = fork(compiledPath(module), { env: { ...process.env, ...env }, execArgv: [] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${module} did not start`);
  const died = once(child, 'exit').then(() => Promise.reject(new Error(`${module} ended`)));
  died.catch(() => undefined);
  return {
    pid,
    run: async (job) => {
      const answered = once(child, 'message');
      child.send(job);
      const [answer] = await Promise.race([answered, died]);
      return Outcome.parse(answer);
    },
    [Symbol.dispose]: () => child.disconnect(),
  };
}
