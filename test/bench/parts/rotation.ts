import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeTemporaryFolder, removeTemporaryFolder } from '../../../infra/local/process/temporary-folder.ts';
import type { BenchDatabase } from '../database.ts';
import { BY_KEY, type Outcome } from '../load/job.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { startBroker } from '../subjects/broker.ts';

/** Each with the same load; the second ones while the password changed. */
export interface Rotation {
  readonly quiet: readonly Outcome[];
  readonly rotating: readonly Outcome[];
}

const CLIENTS = 16;
const WARM_UP_MS = 200;
/** The broker looks at the file every second: both its look and what follows fall into it. */
const DURATION_MS = 3_000;
const ROTATES_AFTER_MS = 700;

/** What callers feel when the password changes in the database and in the file that the broker reads it from. */
export async function runRotation(bench: BenchDatabase, load: LoadProcess, turns: number): Promise<Rotation> {
  console.error('rotation ...');
  const { admin, server } = bench.database;
  const account = await bench.account('rotated');
  const folder = await makeTemporaryFolder('rotation');
  const file = join(folder, 'secret.json');
  const writeSecret = async (password: string) => {
    await writeFile(`${file}.new`, JSON.stringify({ username: account.user, password }), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await writeSecret(account.password);
  const broker = await startBroker(server, account, { credentials: { file } });
  const run = async () =>
    await load.run({
      url: broker.url,
      mode: 'closed',
      clients: CLIENTS,
      workload: BY_KEY,
      warmUpMs: WARM_UP_MS,
      durationMs: DURATION_MS,
    });
  const rotate = async (password: string) => {
    await delay(ROTATES_AFTER_MS);
    await admin.query("ALTER USER ?@'%' IDENTIFIED BY ?", [account.user, password]);
    await writeSecret(password);
  };
  const quiet: Outcome[] = [];
  const rotating: Outcome[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    quiet.push(await run());
    const [outcome] = await Promise.all([run(), rotate(`next-password-${turn}`)]);
    rotating.push(outcome);
  }
  await broker.stop();
  await removeTemporaryFolder(folder);
  return { quiet, rotating };
}
