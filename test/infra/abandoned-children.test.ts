import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test, vi } from 'vitest';
import { findFreePort } from '../../infra/local/process/free-port.ts';

const START_AND_TELL = `
  const { startOwnDatabase } = await import('./test/support/database/own-database.ts');
  const { server, admin } = await startOwnDatabase();
  const [row] = await admin.query('SELECT @@datadir AS dataDir');
  console.log(JSON.stringify({ port: server.port, dataDir: row.dataDir }));
`;

test('a database server and its folder are gone soon after the process that started it was killed', async () => {
  const parent = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', START_AND_TELL],
    { cwd: join(import.meta.dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(createInterface(parent.stdout), 'line');
  const { port, dataDir } = JSON.parse(line);
  expect([await isServed(port), existsSync(dataDir)]).toEqual([true, true]);

  parent.kill('SIGKILL');

  await vi.waitFor(async () => {
    expect([await isServed(port), existsSync(dataDir)]).toEqual([false, false]);
  }, 5_000);
});

async function isServed(port: number): Promise<boolean> {
  return (await findFreePort(port)) !== port;
}
