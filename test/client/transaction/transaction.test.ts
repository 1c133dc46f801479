import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connect, type Transaction } from '../../../lib/index.ts';
import { type Answer, failure } from '../../support/stub-broker.ts';
import { startTransactions } from '../support/transaction-stub.ts';

const clientOf = ({ url }: { url: string }, timeoutMs = 5_000) => connect({ url, key: 'k', timeoutMs });
const hangUp = (): Answer => (response) => response.socket?.resetAndDestroy();

/** Answers the first `times` of a step so, and lets the stub answer the others. */
function atFirst(step: string, answer: () => Answer, times = 1) {
  let left = times;
  return (seen: string) => {
    if (seen !== step || left === 0) return undefined;
    left -= 1;
    return answer();
  };
}

describe('transaction(work)', () => {
  test('begins, runs the calls in one transaction, commits, and returns what the callback returned', async () => {
    await using broker = await startTransactions();
    const options = { isolation: 'serializable', readOnly: false } as const;

    const result = await clientOf(broker).transaction(async (tx) => {
      const { rows } = await tx.query('SELECT a', [1n], { maxRows: 3 });
      const changes = await tx.batch('INSERT b', [[1], [2]]);
      return { rows, changes };
    }, options);

    expect(result).toEqual({
      rows: [{ id: 7 }],
      changes: [{ affectedRows: 1, changedRows: 1, insertId: '9' }],
    });
    expect(broker.steps).toEqual(['begin', 'SELECT a', 'batch', 'commit']);
    expect(broker.broker.seen.slice(0, 3).map(({ body }) => JSON.parse(body))).toEqual([
      options,
      { sql: 'SELECT a', params: [{ $bigint: '1' }], maxRows: 3 },
      { sql: 'INSERT b', paramSets: [[1], [2]] },
    ]);
  });

  test('rolls back when the callback fails, and rejects with that very error', async () => {
    await using broker = await startTransactions();
    const error = new Error('sold out');

    const failed = clientOf(broker).transaction(async (tx) => {
      await tx.query('UPDATE a');
      throw error;
    });

    await expect(failed).rejects.toBe(error);
    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'rollback']);
  });

  test.each([
    ['is refused', () => failure(502, 'CONNECTION_LOST', { outcome: 'unknown' })],
    ['gets no answer', hangUp],
  ])('rejects with the first error when the rollback %s', async (_, answer) => {
    await using broker = await startTransactions(atFirst('rollback', answer));

    const failed = clientOf(broker).transaction(async () => {
      throw new Error('the first');
    });

    await expect(failed).rejects.toThrow('the first');
    expect(broker.steps).toEqual(['begin', 'rollback']);
  });

  test('asks for no rollback of a transaction that the broker has ended', async () => {
    const lost = () => failure(502, 'CONNECTION_LOST', { transaction: 'ended' });
    await using broker = await startTransactions(atFirst('UPDATE a', lost));

    const failed = clientOf(broker).transaction(async (tx) => await tx.query('UPDATE a'));

    await expect(failed).rejects.toMatchObject({ code: 'CONNECTION_LOST', transaction: 'ended' });
    expect(broker.steps).toEqual(['begin', 'UPDATE a']);
  });

  test('rejects with TRANSACTION_ENDED when the callback swallowed the error that ended it', async () => {
    await using broker = await startTransactions((step) => {
      if (step === 'UPDATE a') return failure(409, 'DEADLOCK', { transaction: 'ended' });
      return step === 'commit'
        ? failure(410, 'TRANSACTION_ENDED', { reason: 'deadlock', transaction: 'ended' })
        : undefined;
    });

    const failed = clientOf(broker).transaction(async (tx) => {
      await tx.query('UPDATE a').catch(() => {});
    });

    await expect(failed).rejects.toMatchObject({ code: 'TRANSACTION_ENDED', reason: 'deadlock' });
    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'commit']);
  });

  test('sends nothing and rejects with INVALID_REQUEST for wrong options', async () => {
    await using broker = await startTransactions();

    const wrong: object = { isolation: 'snapshot' };
    await expect(clientOf(broker).transaction(async () => {}, wrong)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining('options.isolation must be one of'),
    });
    expect(broker.steps).toEqual([]);
  });
});

describe('transaction(work) tries again', () => {
  test.each([
    ['the begin is answered TOO_MANY_TRANSACTIONS', 'begin', () => failure(429, 'TOO_MANY_TRANSACTIONS')],
    ['the begin is answered QUEUE_FULL', 'begin', () => failure(429, 'QUEUE_FULL')],
    ['a statement ends in a DEADLOCK', 'UPDATE a', () => failure(409, 'DEADLOCK', { transaction: 'ended' })],
    ['the commit ends in a DEADLOCK', 'commit', () => failure(409, 'DEADLOCK', { transaction: 'ended' })],
  ])('from its beginning while %s', async (_, step, answer) => {
    await using broker = await startTransactions(atFirst(step, answer, 2));
    let runs = 0;

    const result = await clientOf(broker).transaction(async (tx) => {
      runs += 1;
      await tx.query('UPDATE a');
      return 'done';
    });

    expect(result).toBe('done');
    expect(broker.steps.filter((seen) => seen === step)).toHaveLength(3);
    expect(runs).toBe(step === 'begin' ? 1 : 3);
  });

  test('no longer than its budget, and rejects with the last failure', async () => {
    await using broker = await startTransactions((step) =>
      step === 'begin' ? failure(429, 'TOO_MANY_TRANSACTIONS') : undefined,
    );

    await expect(clientOf(broker, 300).transaction(async () => {})).rejects.toMatchObject({
      code: 'TOO_MANY_TRANSACTIONS',
    });
    expect(broker.steps.length).toBeGreaterThan(1);
    expect(broker.steps.length).toBeLessThan(7);
  });

  test.each([
    ['gets no answer', hangUp, 'BROKER_UNREACHABLE'],
    ['lost its connection', () => failure(502, 'CONNECTION_LOST', { outcome: 'unknown' }), 'CONNECTION_LOST'],
    ['is a DEADLOCK of unknown outcome', () => failure(409, 'DEADLOCK', { outcome: 'unknown' }), 'DEADLOCK'],
  ])('never after a commit that %s', async (_, answer, code) => {
    await using broker = await startTransactions(atFirst('commit', answer));

    await expect(clientOf(broker).transaction(async () => {})).rejects.toMatchObject({
      code,
      outcome: 'unknown',
      retryable: false,
    });
    expect(broker.steps.filter((step) => step === 'commit')).toHaveLength(1);
    expect(broker.steps.filter((step) => step === 'begin')).toHaveLength(1);
  });

  test('not after an error of the callback itself', async () => {
    await using broker = await startTransactions();
    let runs = 0;

    const failed = clientOf(broker).transaction(async () => {
      runs += 1;
      throw new Error('no');
    });

    await expect(failed).rejects.toThrow('no');
    expect(runs).toBe(1);
  });
});

describe('the calls of a transaction', () => {
  test('go one at a time in the order in which they were made', async () => {
    let running = 0;
    let mostRunning = 0;
    const slow: Answer = (response) => {
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      setTimeout(() => {
        running -= 1;
        response.writeHead(409, { 'content-type': 'application/json' });
        response.end(JSON.stringify(failure(409, 'DUPLICATE_KEY').json));
      }, 20);
    };
    await using broker = await startTransactions((step) => (step.startsWith('INSERT') ? slow : undefined));
    const statements = ['INSERT 1', 'INSERT 2', 'INSERT 3'];

    await clientOf(broker).transaction(
      async (tx) => await Promise.allSettled(statements.map((sql) => tx.query(sql))),
    );

    expect(mostRunning).toBe(1);
    expect(broker.steps).toEqual(['begin', ...statements, 'commit']);
  });

  test('that the callback did not wait for are waited for before the commit', async () => {
    await using broker = await startTransactions();

    await clientOf(broker).transaction(async (tx) => {
      void tx.query('UPDATE a');
      void tx.query('UPDATE b');
    });

    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'UPDATE b', 'commit']);
  });

  test('that are made after the end of the callback do not go, also while others are waited for', async () => {
    await using broker = await startTransactions();
    const late: unknown[] = [];

    await clientOf(broker).transaction(async (tx) => {
      void tx.query('UPDATE a').then(() => late.push(tx.query('UPDATE b').catch((error: unknown) => error)));
    });

    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'commit']);
    expect(await Promise.all(late)).toMatchObject([{ code: 'TRANSACTION_ENDED' }]);
  });

  test('that the callback did not wait for roll back when they fail', async () => {
    await using broker = await startTransactions(atFirst('UPDATE a', () => failure(409, 'DUPLICATE_KEY')));

    const failed = clientOf(broker).transaction(async (tx) => {
      void tx.query('UPDATE a');
    });

    await expect(failed).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'rollback']);
  });

  test('that are still in line when the callback fails do not go', async () => {
    await using broker = await startTransactions(atFirst('UPDATE a', () => failure(409, 'DUPLICATE_KEY')));

    const failed = clientOf(broker).transaction(
      async (tx) => await Promise.all([tx.query('UPDATE a'), tx.query('UPDATE b'), tx.query('UPDATE c')]),
    );

    await expect(failed).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
    expect(broker.steps).not.toContain('UPDATE c');
    expect(broker.steps.at(-1)).toBe('rollback');
  });

  test('after the end of the callback are TRANSACTION_ENDED and send nothing', async () => {
    await using broker = await startTransactions();
    const kept: Transaction[] = [];
    await clientOf(broker).transaction(async (tx) => void kept.push(tx));

    const [tx] = kept;
    for (const call of [tx?.query('SELECT 1'), tx?.batch('INSERT', [[]]), tx?.savepoint(async () => {})]) {
      await expect(call).rejects.toMatchObject({ code: 'TRANSACTION_ENDED', outcome: 'not_applied' });
    }
    expect(broker.steps).toEqual(['begin', 'commit']);
  });

  test('tell not_applied when their reply is lost, and nothing is committed after that', async () => {
    await using broker = await startTransactions(atFirst('UPDATE a', hangUp));
    const errors: unknown[] = [];

    const failed = clientOf(broker).transaction(async (tx) => {
      await tx.query('UPDATE a').catch((error: unknown) => errors.push(error));
    });

    await expect(failed).rejects.toMatchObject({ code: 'TRANSACTION_ENDED', outcome: 'not_applied' });
    expect(errors).toMatchObject([{ code: 'BROKER_UNREACHABLE', outcome: 'not_applied' }]);
    expect(broker.steps).toEqual(['begin', 'UPDATE a', 'rollback']);
  });

  test('tell unknown when the reply of a procedure is lost: it may have committed', async () => {
    await using broker = await startTransactions(atFirst('CALL p()', hangUp));

    const failed = clientOf(broker).transaction(async (tx) => await tx.query('CALL p()'));

    await expect(failed).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', outcome: 'unknown' });
  });
});

describe('the budget of a transaction', () => {
  test('is divided: each call is given what is left', async () => {
    await using broker = await startTransactions();

    await clientOf(broker, 2_000).transaction(async (tx) => {
      await sleep(50);
      await tx.query('SELECT a');
      await tx.query('SELECT b', [], { timeoutMs: 100 });
    });

    const [begin = 0, first = 0, second = 0] = broker.broker.seen.map(({ headers }) =>
      Number(headers['x-timeout-ms']),
    );
    expect(begin).toBeLessThanOrEqual(2_000);
    expect(first).toBeLessThanOrEqual(begin - 49);
    expect(second).toBeLessThanOrEqual(100);
  });

  test('ends it with DEADLINE_EXCEEDED and a rollback when the callback took it all', async () => {
    await using broker = await startTransactions();

    const failed = clientOf(broker, 100).transaction(async () => await sleep(150));

    await expect(failed).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' });
    expect(broker.steps).toEqual(['begin', 'rollback']);
    // Time of its own.
    expect(Number(broker.broker.seen.at(-1)?.headers['x-timeout-ms'])).toBeGreaterThan(50);
  });

  test('ends it also when the callback never ends', async () => {
    await using broker = await startTransactions();

    const failed = clientOf(broker, 100).transaction(async () => await new Promise(() => {}));

    await expect(failed).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: "The transaction's callback did not end within 100 ms",
    });
    expect(broker.steps).toEqual(['begin', 'rollback']);
  });

  test("an abort rejects with the signal's reason, stops the statement and rolls back", async () => {
    const controller = new AbortController();
    const reason = new Error('the user left');
    const silent: Answer = () => setImmediate(() => controller.abort(reason));
    await using broker = await startTransactions(atFirst('SELECT a', () => silent));

    const failed = clientOf(broker).transaction(async (tx) => await tx.query('SELECT a'), {
      signal: controller.signal,
    });

    await expect(failed).rejects.toBe(reason);
    expect(broker.steps).toEqual(['begin', 'SELECT a', 'rollback']);
  });

  test('an abort while the callback waits for something else rolls back too', async () => {
    const controller = new AbortController();
    const reason = new Error('the user left');
    await using broker = await startTransactions();

    const failed = clientOf(broker).transaction(
      async () => {
        controller.abort(reason);
        await new Promise(() => {});
      },
      { signal: controller.signal },
    );

    await expect(failed).rejects.toBe(reason);
    expect(broker.steps).toEqual(['begin', 'rollback']);
  });
});
