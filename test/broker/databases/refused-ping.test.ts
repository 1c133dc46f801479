import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';

const COM_PING = Buffer.from([1, 0, 0, 0, 0x0e]);
/** An error packet, as a database proxy sends it for a backend that it has lost. */
const REFUSAL = Buffer.from('\x10\0\0\x01\xff\x29\x23#HY000no luck', 'latin1');

let database: TestDatabase;
let proxy: Server;
let broker: TestBroker;
/** So many pings get an error for an answer. */
let refusals = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  proxy = createServer((caller) => {
    const peer = connect(database.server.port, '127.0.0.1');
    peer.pipe(caller);
    caller.on('error', () => peer.destroy());
    peer.on('error', () => caller.destroy());
    caller.on('end', () => peer.end());
    caller.on('data', (chunk) => {
      if (refusals === 0 || !chunk.equals(COM_PING)) peer.write(chunk);
      else {
        refusals -= 1;
        caller.write(REFUSAL);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const address = proxy.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const pool = { size: 3, maxOverflow: 0, prePingAfterIdleMs: 1, resetOnCheckin: 'always' };
  broker = await startTestBroker(database, { databases: { default: { port, pool } } });
});

afterAll(async () => {
  await broker.stop();
  proxy.close();
  await database.stop();
});

test('[58] a ping that is answered with an error costs its own connection, and neither a caller nor another connection', async () => {
  const { pool } = broker.broker.pools.get('default');
  await Promise.all(Array.from({ length: 3 }, async () => await broker.query('SELECT SLEEP(0.1)')));
  const reasons: string[] = [];
  pool.events.on('close', ({ reason }) => reasons.push(reason));
  refusals = 1;
  await eventually(
    async () => await broker.query('SELECT 1'),
    () => refusals === 0,
  );
  expect(reasons).toEqual(['ping_failed']);
  expect(pool.stats().generation).toBe(0);
});
