import { beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../lib/index.ts';
import { useBroker } from '../support/use-broker.ts';

const { database, broker } = await useBroker({
  databases: {
    default: { pool: { size: 4 }, transactions: { maxOpen: 3 } },
    hasty: { transactions: { idleTimeoutMs: 100 } },
    narrow: { transactions: { maxOpen: 1 } },
  },
});
await database.admin.query(
  'CREATE TABLE app.accounts (id INT PRIMARY KEY, balance INT NOT NULL CHECK (balance >= 0))',
);

const db = connect({ url: broker.url, key: broker.keys.writer, timeoutMs: 10_000 });

beforeEach(async () => {
  await database.admin.query('DELETE FROM app.accounts');
  await database.admin.query('INSERT INTO app.accounts VALUES (1, 100), (2, 100)');
});

async function balances(): Promise<unknown[]> {
  const rows = await database.admin.query('SELECT balance FROM app.accounts ORDER BY id');
  return rows.map(({ balance }) => balance);
}

const take = (amount: number, id: number) => ({
  sql: 'UPDATE accounts SET balance = balance - ? WHERE id = ?',
  params: [amount, id],
});

describe('transaction([...])', () => {
  test('does all of its statements', async () => {
    const [taken, , read] = await db.transaction(
      [
        { ...take(30, 1), expect: { affectedRows: 1 } },
        take(-30, 2),
        { sql: 'SELECT balance FROM accounts ORDER BY id' },
      ],
      { isolation: 'serializable' },
    );

    expect([taken.affectedRows, read.rows]).toEqual([1, [{ balance: 70 }, { balance: 130 }]]);
    expect(await balances()).toEqual([70, 130]);
  });

  test('does nothing when one of them does something else than is expected', async () => {
    const failed = db.transaction([take(30, 1), { ...take(-30, 9), expect: { affectedRows: 1 } }]);

    await expect(failed).rejects.toMatchObject({ code: 'EXPECTATION_FAILED', details: { index: 1 } });
    expect(await balances()).toEqual([100, 100]);
  });

  test('refuses to write when it is to be read-only', async () => {
    const failed = db.transaction([take(30, 1)], { readOnly: true });

    await expect(failed).rejects.toMatchObject({ code: 'READ_ONLY_VIOLATION' });
  });
});

describe('batch()', () => {
  const sql = 'INSERT INTO accounts VALUES (?, ?)';

  test('inserts every set of values', async () => {
    const changes = await db.batch(sql, [
      [3, 5],
      [4, 6],
    ]);

    expect(changes.map(({ affectedRows }) => affectedRows)).toEqual([1, 1]);
    expect(await balances()).toEqual([100, 100, 5, 6]);
  });

  test('inserts none when one of them is refused', async () => {
    const failed = db.batch(sql, [
      [3, 5],
      [1, 6],
    ]);

    await expect(failed).rejects.toMatchObject({ code: 'DUPLICATE_KEY', details: { index: 1 } });
    expect(await balances()).toEqual([100, 100]);
  });
});

describe('transaction(work)', () => {
  test('keeps what it does to itself until it has ended', async () => {
    await db.transaction(async (tx) => {
      await tx.query(take(30, 1).sql, [30, 1]);
      const { rows } = await tx.query('SELECT balance FROM accounts WHERE id = 1');
      expect([rows, await balances()]).toEqual([[{ balance: 70 }], [100, 100]]);
    });

    expect(await balances()).toEqual([70, 100]);
  });

  test('leaves nothing behind when its callback fails', async () => {
    const failed = db.transaction(async (tx) => {
      await tx.query(take(30, 1).sql, [30, 1]);
      throw new Error('no');
    });

    await expect(failed).rejects.toThrow('no');
    expect(await balances()).toEqual([100, 100]);
  });

  test('of two that block each other, the one that MySQL rolls back runs anew and both are done', async () => {
    let runs = 0;
    const locked: (() => void)[] = [];
    const bothHaveLocked = new Promise<void>((resolve) => locked.push(resolve));
    let lockers = 0;
    const transfer = async (from: number, to: number) =>
      await db.transaction(async (tx) => {
        runs += 1;
        await tx.query(take(10, from).sql, [10, from]);
        lockers += 1;
        if (lockers === 2) locked[0]?.();
        await bothHaveLocked;
        await tx.query(take(-10, to).sql, [-10, to]);
      });

    await Promise.all([transfer(1, 2), transfer(2, 1)]);

    expect(runs).toBe(3);
    expect(await balances()).toEqual([100, 100]);
  });

  test('waits until one of maxOpen has ended', async () => {
    const narrow = db.database('narrow');
    let open = 0;
    let mostOpen = 0;
    const work = async () => {
      await narrow.transaction(async (tx) => {
        open += 1;
        mostOpen = Math.max(mostOpen, open);
        await tx.query('SELECT SLEEP(0.03)');
        open -= 1;
      });
    };

    await Promise.all([work(), work(), work()]);

    expect(mostOpen).toBe(1);
  });

  test('rejects with TRANSACTION_ENDED when the broker found it idle for too long', async () => {
    const failed = db.database('hasty').transaction(async (tx) => {
      await tx.query(take(30, 1).sql, [30, 1]);
      // Its row is free again once the broker has rolled back.
      await database.admin.query('UPDATE app.accounts SET balance = 1 WHERE id = 1');
    });

    await expect(failed).rejects.toMatchObject({
      code: 'TRANSACTION_ENDED',
      reason: 'idle',
      outcome: 'not_applied',
    });
    expect(await balances()).toEqual([1, 100]);
  });

  test('an aborted one is rolled back and its statement stopped', async () => {
    const controller = new AbortController();
    const failed = db.transaction(
      async (tx) => {
        await tx.query(take(30, 1).sql, [30, 1]);
        setTimeout(() => controller.abort(new Error('the user left')), 50);
        await tx.query('SELECT SLEEP(60)');
      },
      { signal: controller.signal },
    );

    await expect(failed).rejects.toThrow('the user left');
    await database.admin.query('UPDATE app.accounts SET balance = 1 WHERE id = 1');
    expect(await balances()).toEqual([1, 100]);
  });

  test('keeps session state until its end', async () => {
    const rows = await db.transaction(async (tx) => {
      await tx.query('SET @kept = 5');
      return (await tx.query('SELECT @kept AS kept')).rows;
    });

    expect(rows).toEqual([{ kept: 5 }]);
  });
});

describe('savepoint()', () => {
  test('undoes what it did when it fails, at any depth, and the rest is committed', async () => {
    await db.transaction(async (tx) => {
      await tx.query(take(1, 1).sql, [1, 1]);
      await tx.savepoint(async (outer) => {
        await outer.query(take(2, 1).sql, [2, 1]);
        const inner = outer.savepoint(async (sp) => await sp.query(take(500, 1).sql, [500, 1]));
        await expect(inner).rejects.toMatchObject({ code: 'CONSTRAINT_VIOLATION', transaction: 'open' });
      });
      const failing = tx.savepoint(async (sp) => {
        await sp.query(take(4, 1).sql, [4, 1]);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
    });

    expect(await balances()).toEqual([97, 100]);
  });
});

describe('stream()', () => {
  const numbers =
    'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 200) ' +
    'SELECT a.i AS i, REPEAT(?, 50) AS text FROM n a, n b';

  test('yields every row, and the failure of a statement', async () => {
    let count = 0;
    for await (const row of db.stream(numbers, ['é'])) {
      if (count === 0) expect(row).toEqual({ i: expect.any(Number), text: 'é'.repeat(50) });
      count += 1;
    }

    expect(count).toBe(40_000);
    await expect(db.stream('SELECT nothing').next()).rejects.toMatchObject({ code: 'SQL_ERROR' });
  });

  test('can be left in a transaction, which goes on', async () => {
    await db.transaction(async (tx) => {
      await tx.query(take(1, 1).sql, [1, 1]);
      for await (const _ of tx.stream(`SELECT * FROM (${numbers}) AS all_of_them`, ['x'])) break;
      let count = 0;
      for await (const _ of tx.stream('SELECT id FROM accounts')) count += 1;
      expect(count).toBe(2);
    });

    expect(await balances()).toEqual([99, 100]);
  });
});

test('a callback of a caller who may only read cannot write', async () => {
  const reader = connect({ url: broker.url, key: broker.keys.reader });

  const failed = reader.transaction(async (tx) => await tx.query(take(1, 1).sql, [1, 1]));

  await expect(failed).rejects.toMatchObject({ code: 'READ_ONLY_VIOLATION' });
});

describe('rows that do not fit the options', () => {
  const TWICE = 'SELECT 1 AS a, 2 AS a';
  const unfit = (outcome: string) => ({ code: 'INVALID_REQUEST', outcome, retryable: false });

  async function readAll(rows: AsyncIterable<unknown>): Promise<void> {
    for await (const row of rows) expect(row).toBeUndefined();
  }

  test.each([
    TWICE,
    `/* app */ ${TWICE}`,
    `(${TWICE})`,
    `-- app\n${TWICE}`,
    'WITH x AS (SELECT 1 AS a) SELECT a, a FROM x',
  ])('of a read have not been applied: %s', async (sql) => {
    await expect(db.query(sql)).rejects.toMatchObject(unfit('not_applied'));
    await expect(readAll(db.stream(sql))).rejects.toMatchObject(unfit('not_applied'));
  });

  test('of a procedure, whatever it did, have been applied', async () => {
    await database.admin.query(
      `CREATE PROCEDURE app.twice() SQL SECURITY INVOKER BEGIN UPDATE accounts SET balance = 7; ${TWICE}; END`,
    );
    await expect(db.query('CALL twice()')).rejects.toMatchObject(unfit('applied'));
    expect(await balances()).toEqual([7, 7]);
    await expect(readAll(db.stream('CALL twice()'))).rejects.toMatchObject(unfit('unknown'));
  });

  test('of a transaction that is sent whole are told by what else it did', async () => {
    await expect(db.transaction([{ sql: TWICE }])).rejects.toMatchObject(unfit('not_applied'));
    await expect(db.transaction([take(1, 1), { sql: TWICE }])).rejects.toMatchObject(unfit('applied'));
    expect(await balances()).toEqual([99, 100]);
  });

  test('of an open transaction have applied nothing', async () => {
    const failed = db.transaction(async (tx) => {
      await tx.query(take(1, 1).sql, take(1, 1).params);
      await tx.query(TWICE);
    });
    await expect(failed).rejects.toMatchObject(unfit('not_applied'));
    expect(await balances()).toEqual([100, 100]);
  });
});
