import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function run(code: string): Promise<string[]> {
  const program = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, program, { cwd: ROOT, timeout: 20_000 });
  return stdout.trim().split('\n');
}

const SETUP = `
  import { QueuePool } from './lib/pool/queue-pool.ts';
  import { FakeConnectError, FakeConnector } from './test/pool/support/fake-connector.ts';

  const options = {
    size: 4, maxOverflow: 0, checkoutTimeoutMs: 60_000, recycleAfterMs: 60_000, maxWaiting: 10,
    idleTimeoutMs: 60_000, keepAliveMs: 30_000, heldTooLongMs: 30_000, minIdle: 0, isShared: false, prePing: true, prePingAfterIdleMs: 0, order: 'lifo',
  };
  const connector = new FakeConnector();
`;

/** What a program has left when nobody waits for its pools any more. */
const PROGRAM = `
${SETUP}
  const pool = new QueuePool(connector, options);
  const [one, two, three] = await Promise.all([1, 2, 3, 4].map(() => pool.checkout()));
  one.checkin();
  connector.resets.hold();
  two.checkin();
  connector.closes.hold();
  three.connection.isUsable = false;
  three.checkin();

  const down = new QueuePool(connector, options);
  connector.opens.failure = new FakeConnectError('outage');
  await down.checkout().catch(() => undefined);

  const { idle, closing, checkedOut, connections } = pool.stats();
  console.log(JSON.stringify({ idle, closing, checkedOut, connections, isDown: down.downReason !== undefined }));
  console.log(JSON.stringify(process.getActiveResourcesInfo()));
`;

test('no timer of a pool keeps the process alive when nobody waits', async () => {
  const [state = '', keepsAlive = ''] = await run(PROGRAM);
  expect(JSON.parse(state)).toEqual({ idle: 1, closing: 1, checkedOut: 1, connections: 4, isDown: true });
  expect(JSON.parse(keepsAlive)).not.toContain('Timeout');
});

test('a process whose only business is a call in line lives until the call is told', async () => {
  const told = await run(`${SETUP}
    const pool = new QueuePool(connector, { ...options, size: 1, checkoutTimeoutMs: 500 });
    await pool.checkout();
    await pool.checkout().catch(({ code }) => console.log(code));
  `);
  expect(told).toEqual(['POOL_TIMEOUT']);
});
