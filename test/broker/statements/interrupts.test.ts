import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deadline } from '../../../lib/async/deadline.ts';
import { startTestBroker, type TestBroker } from '../../support/broker.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { eventually } from '../../support/http.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('CREATE PROCEDURE app.of_another_definer() DO SLEEP(60)');
  await database.admin.query('CREATE TABLE app.marks (n INT)');
});

afterAll(async () => {
  await database.stop();
});

/** Without the admin's and the one that kills. While a definer's procedure runs, the list names the definer. */
async function connectionsOnServer(): Promise<number> {
  const rows = await database.admin.query(
    "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND IFNULL(info, '') NOT LIKE 'KILL%'",
  );
  const isControlOpen = 1;
  return rows.length - isControlOpen;
}

/** Passes everything on to the database until it is frozen. */
class FreezingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  isFrozen = false;

  constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connectSocket(port, '127.0.0.1');
      this.#sockets.add(near).add(far);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.on('data', (chunk) => {
          if (!this.isFrozen) to.write(chunk);
        });
      }
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve());
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

describe('a procedure of another definer, which may not be killed,', () => {
  let broker: TestBroker;

  beforeAll(async () => {
    broker = await startTestBroker(database, {
      databases: {
        default: {
          pool: { size: 2, maxOverflow: 0, checkoutTimeoutMs: 2_000 },
          limits: { queryTimeoutMs: 2_000 },
        },
      },
    });
  });

  afterAll(async () => {
    await broker.stop();
  });

  test('keeps its slot as long as the server counts it', async () => {
    const call = { sql: 'CALL of_another_definer()', timeoutMs: 100 };
    for (let round = 0; round < 4; round += 1) {
      const replies = await Promise.all(
        [1, 2].map(async () => await broker.post('/v1/databases/default/query', call)),
      );
      for (const { status } of replies) expect([503, 504]).toContain(status);
      expect(await connectionsOnServer()).toBeLessThanOrEqual(2);
    }
  });

  test('is ended by MariaDB itself when the longest budget of a statement is used up; MySQL must be told', async () => {
    const { server, admin } = database;
    if (server.flavour === 'mysql') {
      const running = await admin.query(
        "SELECT id FROM information_schema.processlist WHERE state = 'User sleep'",
      );
      for (const { id } of running) await admin.query(`KILL CONNECTION ${String(id)}`);
    }
    await eventually(
      async () => await broker.post('/v1/databases/default/query', { sql: 'SELECT 1' }),
      ({ status }) => status === 200,
    );
  });
});

test('a server that falls silent delays neither the verdicts nor the end', async () => {
  const proxy = new FreezingProxy(database.server.port);
  const port = await proxy.listen();
  const broker = await startTestBroker(database, { databases: { default: { port } } });
  const slow = async () =>
    await broker.post('/v1/databases/default/query', { sql: 'SELECT SLEEP(60)', timeoutMs: 100 });
  expect((await slow()).status).toBe(504);
  const asked = slow();
  proxy.isFrozen = true;
  for (const reply of [await asked, await slow(), await slow()]) {
    expect([502, 504]).toContain(reply.status);
  }
  await broker.broker.pools.drain(Deadline.after(500));
  await broker.broker.app.close();
  proxy.close();
});
