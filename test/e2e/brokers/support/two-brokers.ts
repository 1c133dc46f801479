import { afterAll, beforeEach } from 'vitest';
import { findFreePort } from '../../../../infra/local/process/free-port.ts';
import { settingsFor } from '../../../support/broker.ts';
import { type BrokerProcess, startBrokerProcess } from '../../../support/broker-process.ts';
import { startTestDatabase, type TestDatabase } from '../../../support/database/database.ts';
import { type HttpReply, http } from '../../../support/http.ts';
import { createNumbers } from '../../../support/numbers.ts';
import { transactionCalls } from '../../../support/transactions.ts';

export const HEADERS = { authorization: 'Bearer writer-key', 'content-type': 'application/json' };
/** Of the one row of `counted`, which is 0 at the begin of each test. */
export const INCREMENT = 'UPDATE counted SET n = n + 1';

interface Asked {
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Brokers that know each other: `owner` holds the transactions of a test, `other` gets their calls. */
export interface TwoBrokers {
  readonly database: TestDatabase;
  readonly owner: BrokerProcess;
  readonly other: BrokerProcess;
  /** On the owner. */
  begin(): Promise<string>;
  /** On the other one. */
  ask(id: string, what: string, body?: object, asked?: Asked): Promise<HttpReply>;
  counted(): Promise<unknown>;
  /** The statements that the database runs. */
  running(pattern: string): Promise<readonly unknown[]>;
  /** One more, which the two do not know. */
  startThird(): Promise<BrokerProcess>;
  /** Starts the owner again where it was. It must have ended. */
  replaceOwner(): Promise<void>;
}

/** For the tests of one file. */
export async function useTwoBrokers(): Promise<TwoBrokers> {
  const database = await startTestDatabase();
  afterAll(database.stop);
  await createNumbers(database);
  await database.admin.query('CREATE TABLE app.counted (id INT PRIMARY KEY, n INT NOT NULL)');
  beforeEach(async () => {
    await database.admin.query('REPLACE INTO app.counted VALUES (1, 0)');
  });

  const ownersPort = await findFreePort();
  const othersPort = await findFreePort(ownersPort + 1);
  const start = async (port: number) =>
    await startBrokerProcess(
      settingsFor(database, { server: { drainTimeoutMs: 33_000, accessLog: 'all' } }),
      {
        PORT: String(port),
        BROKER_PEERS: `127.0.0.1:${ownersPort},127.0.0.1:${othersPort}`,
      },
    );
  const [first, other] = await Promise.all([start(ownersPort), start(othersPort)]);
  let owner = first;
  // Runs first: hooks of this kind run in reverse order.
  afterAll(async () => {
    await Promise.all([owner.stop(), other.stop()]);
  });

  return {
    database,
    get owner() {
      return owner;
    },
    other,
    begin: async () => await transactionCalls(owner.url, 'writer-key').begin(),
    ask: async (id, what, body = {}, { key = 'writer-key', headers, signal } = {}) =>
      await http(`${other.url}/v1/transactions/${id}/${what}`, {
        headers: { ...HEADERS, authorization: `Bearer ${key}`, ...headers },
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      }),
    counted: async () => (await database.admin.query('SELECT n FROM app.counted'))[0]?.n,
    running: async (pattern) =>
      await database.admin.query(
        'SELECT id FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
        [pattern],
      ),
    startThird: async () => await start(0),
    replaceOwner: async () => {
      await owner.stop();
      owner = await start(ownersPort);
    },
  };
}
