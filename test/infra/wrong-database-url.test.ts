import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { startTestDatabase } from '../support/database/database.ts';

const database = await startTestDatabase();
afterAll(database.stop);
const { server, app } = database;
const PASSWORD = 'geheim-geheim';

/** `npm start` on a database of the user's; all that it prints, and its code. */
async function startOn(url: string): Promise<{ output: string; code: unknown }> {
  const program = spawn(process.execPath, ['--import', 'tsx', 'infra/local/start.ts'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { ...process.env, DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, problem, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, 'exit') as Promise<[unknown]>,
  ]);
  return { output: out + problem, code };
}

async function portOf(listener: Server): Promise<number> {
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

async function unusedPort(): Promise<number> {
  const listener = createServer();
  const port = await portOf(listener);
  listener.close();
  return port;
}

async function silentPort(): Promise<number> {
  const listener = createServer((socket) => socket.on('error', () => socket.destroy()));
  onTestFinished(() => {
    listener.close();
  });
  return await portOf(listener);
}

test.each([
  ['a wrong password', () => `${app.user}:${PASSWORD}@127.0.0.1:${server.port}/app`, 'refused the login'],
  [
    'a schema that is not there',
    () => `${server.user}:${server.password}@127.0.0.1:${server.port}/nowhere`,
    'no such schema',
  ],
  ['a wrong port', async () => `app:${PASSWORD}@127.0.0.1:${await unusedPort()}/app`, 'nothing listens'],
  [
    'a host that does not answer',
    async () => `app:${PASSWORD}@127.0.0.1:${await silentPort()}/app`,
    'in time',
  ],
  ['a host name that is not known', () => `app:${PASSWORD}@no-such-host.invalid/app`, 'cannot be reached'],
])(
  'npm start on %s ends with the cause, before anything else is started',
  async (_, address, cause) => {
    const { output, code } = await startOn(`mysql://${await address()}`);
    expect(code).toBe(1);
    expect(output).toContain('which DATABASE_URL names');
    expect(output).toContain(cause);
    expect(output).not.toContain('Starting');
    for (const secret of [PASSWORD, server.password]) expect(output).not.toContain(secret);
  },
  30_000,
);
