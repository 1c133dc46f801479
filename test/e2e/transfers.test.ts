import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { connect } from '../../lib/client/connect.ts';
import { BrokerError } from '../../lib/errors.ts';
import { eventually } from '../support/http.ts';
import { transactionCalls } from '../support/transactions.ts';
import { useBroker } from '../support/use-broker.ts';

const ACCOUNTS = 20;
const TELLERS = 100;
const TRANSFERS = 4;

const { database, broker } = await useBroker({
  databases: {
    default: {
      pool: { size: 10, maxOverflow: 0 },
      transactions: { maxOpen: 9, idleTimeoutMs: 500, lifetimeMs: 5_000 },
    },
  },
});

const db = connect({ url: broker.url, key: broker.keys.writer, timeoutMs: 60_000 });
const calls = transactionCalls(broker.url, broker.keys.writer);

/** What became of each transfer, as far as its teller knows. */
const fates = new Map<string, 'committed' | BrokerError['outcome']>();

/** The ids of all transactions that have ended. */
const ended = new Set<string>();
broker.broker.leases.onEnd(({ identity }) => ended.add(identity.id));

function anyAccount(): number {
  return Math.floor(Math.random() * ACCOUNTS);
}

/** Takes the accounts in any order, so that tellers block each other. */
async function transfer(): Promise<void> {
  const [from, to, amount] = [anyAccount(), anyAccount(), Math.floor(Math.random() * 50)];
  // Each try is one transaction with a fate of its own.
  let id = '';
  try {
    await db.transaction(async (tx) => {
      if (id !== '') fates.set(id, 'not_applied');
      id = randomUUID();
      await tx.query('UPDATE accounts SET balance = balance - ? WHERE id = ?', [amount, from]);
      await tx.query('INSERT INTO ledger VALUES (?)', [id]);
      await tx.query('UPDATE accounts SET balance = balance + ? WHERE id = ?', [amount, to]);
    });
    fates.set(id, 'committed');
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    if (id !== '') fates.set(id, error.outcome);
  }
}

/** A client that dies in the middle of a transaction; late calls come for it when it is over. */
async function dyingClient(): Promise<void> {
  const id = await calls.begin().catch(() => undefined);
  if (id === undefined) return;
  await calls.query(id, 'UPDATE accounts SET balance = balance - 1000 WHERE id = ?', [anyAccount()]);
  await eventually(async () => ended.has(id), Boolean, 60_000);
  const late = await calls.query(id, 'UPDATE accounts SET balance = balance - 1000 WHERE id = ?', [
    anyAccount(),
  ]);
  expect(late.status).toBe(410);
}

async function killAny(): Promise<void> {
  const [victim] = await database.admin.query(
    "SELECT id FROM information_schema.processlist WHERE user = 'app' ORDER BY RAND() LIMIT 1",
  );
  if (victim !== undefined) await database.admin.query(`KILL ${Number(victim.id)}`).catch(() => undefined);
}

test('money is neither made nor lost, whoever dies, and every acknowledged commit is there', async () => {
  await database.admin.query('CREATE TABLE app.accounts (id INT PRIMARY KEY, balance INT NOT NULL)');
  await database.admin.query('CREATE TABLE app.ledger (id CHAR(36) PRIMARY KEY)');
  const values = Array.from({ length: ACCOUNTS }, (_, id) => `(${id}, 1000)`);
  await database.admin.query(`INSERT INTO app.accounts VALUES ${values.join(', ')}`);

  const quietAgain = new AbortController();
  const trouble = (async () => {
    while (!quietAgain.signal.aborted) {
      await Promise.all([killAny(), dyingClient()]);
    }
  })();
  await Promise.all(
    Array.from({ length: TELLERS }, async () => {
      for (let turn = 0; turn < TRANSFERS; turn += 1) await transfer();
    }),
  );
  quietAgain.abort();
  await trouble;

  const [sum] = await database.admin.query('SELECT SUM(balance) AS total FROM app.accounts');
  expect(Number(sum?.total)).toBe(ACCOUNTS * 1000);
  const ledger = new Set((await database.admin.query('SELECT id FROM app.ledger')).map(({ id }) => id));
  const of = (fate: string) => [...fates].flatMap(([id, known]) => (known === fate ? [id] : []));
  expect(of('committed').filter((id) => !ledger.has(id))).toEqual([]);
  expect(of('not_applied').filter((id) => ledger.has(id))).toEqual([]);
  // The test tests something: most got through, and there was trouble.
  expect(of('committed').length).toBeGreaterThan((TELLERS * TRANSFERS) / 2);
  expect(of('not_applied').length).toBeGreaterThan(0);
  expect(broker.broker.leases.openCount('default')).toBe(0);
}, 120_000);
