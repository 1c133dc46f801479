import { describe, expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { type Answer, failure, StubBroker } from '../../support/stub-broker.ts';
import { RESULT } from '../support/transaction-stub.ts';

const CHANGES = { affectedRows: 1, changedRows: 1, insertId: null };
const ok: Answer = { json: { ...RESULT, results: [CHANGES].map((changes) => ({ ...RESULT, ...changes })) } };
const hangUp: Answer = (response) => response.socket?.resetAndDestroy();
const lost = failure(502, 'CONNECTION_LOST', { outcome: 'unknown' });

const clientOf = (broker: StubBroker, retryWrites = true, timeoutMs = 5_000) =>
  connect({ url: broker.url.href, key: 'k', retryWrites, timeoutMs });

/** Gives these answers one after the other, and the last one for good. */
async function startAnswering(...answers: Answer[]): Promise<StubBroker> {
  return await StubBroker.start(() => (answers.length > 1 ? answers.shift() : answers[0]) ?? ok);
}

const keysOf = ({ seen }: StubBroker) => seen.map(({ headers }) => headers['idempotency-key']);

describe('with retryWrites a write is sent again under the same key', () => {
  test.each<[string, Answer]>([
    ['the database connection was lost under it', lost],
    ['the broker hung up', hangUp],
    ['a proxy answered', { status: 502, headers: { 'content-type': 'text/html' }, json: '<html>' }],
    ['its deadline passed without a verdict', failure(504, 'DEADLINE_EXCEEDED', { outcome: 'unknown' })],
    ['the first one still runs', failure(409, 'IDEMPOTENCY_IN_PROGRESS')],
  ])('when %s', async (_, answer) => {
    await using broker = await startAnswering(answer, answer, ok);

    await expect(clientOf(broker).query('INSERT')).resolves.toMatchObject({ affectedRows: 1 });

    const [first, ...others] = keysOf(broker);
    expect(first).toMatch(/^[A-Za-z0-9._-]{1,128}$/);
    expect(others).toEqual([first, first]);
  });

  test('for a batch and for a transaction that is sent whole too, each with a key of its own', async () => {
    await using broker = await startAnswering(lost, ok, lost, ok);
    const db = clientOf(broker, false);

    await db.batch('INSERT', [[1]], { retryWrites: true });
    await db.transaction([{ sql: 'INSERT' }], { retryWrites: true });

    const [batch, batchAgain, transaction, transactionAgain] = keysOf(broker);
    expect([batchAgain, transactionAgain]).toEqual([batch, transaction]);
    expect(batch).not.toBe(transaction);
  });

  test('within its budget, and the last failure is thrown', async () => {
    await using broker = await startAnswering(lost);

    await expect(clientOf(broker, true, 300).query('INSERT')).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
      outcome: 'unknown',
    });
    expect(broker.seen.length).toBeGreaterThan(1);
    expect(broker.seen.length).toBeLessThan(7);
  });
});

describe('once an answer was lost', () => {
  test.each([
    [409, 'DUPLICATE_KEY'],
    [422, 'IDEMPOTENCY_MISMATCH'],
  ])('a failure of a later try leaves the outcome unknown: %i %s', async (status, code) => {
    await using broker = await startAnswering(hangUp, failure(status, code));

    const failed = { code, outcome: 'unknown', retryable: false };
    await expect(clientOf(broker).query('INSERT')).rejects.toMatchObject(failed);
    expect(broker.seen).toHaveLength(2);
  });

  test('it is asked for also when a later try finds the broker busy', async () => {
    const busy = failure(503, 'POOL_TIMEOUT', { retryable: true });
    await using broker = await startAnswering(hangUp, busy, ok);

    await expect(clientOf(broker).query('INSERT')).resolves.toMatchObject({ affectedRows: 1 });
    expect(new Set(keysOf(broker)).size).toBe(1);
  });

  test('a first one that still runs when the time is up leaves the outcome unknown', async () => {
    await using broker = await startAnswering(hangUp, failure(409, 'IDEMPOTENCY_IN_PROGRESS'));

    await expect(clientOf(broker, true, 300).query('INSERT')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_IN_PROGRESS',
      outcome: 'unknown',
      retryable: false,
    });
  });
});

describe('a call is sent once', () => {
  test('without retryWrites, and without a key', async () => {
    await using broker = await startAnswering(lost);

    await expect(clientOf(broker, false).query('INSERT')).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    await expect(clientOf(broker, true).query('INSERT', [], { retryWrites: false })).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(keysOf(broker)).toEqual([undefined, undefined]);
  });

  test('and without a key if the transaction is to be read only', async () => {
    await using broker = await startAnswering(lost);

    const work = clientOf(broker).transaction([{ sql: 'CALL p()' }], { readOnly: true });

    await expect(work).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    expect(keysOf(broker)).toEqual([undefined]);
  });

  test.each(['DUPLICATE_KEY', 'IDEMPOTENCY_MISMATCH', 'DEADLOCK'])('when it is answered %s', async (code) => {
    await using broker = await startAnswering(failure(409, code));

    await expect(clientOf(broker).query('INSERT')).rejects.toMatchObject({ code });
    expect(broker.seen).toHaveLength(1);
  });

  test('when nothing was applied by a connection that was lost', async () => {
    await using broker = await startAnswering(failure(502, 'CONNECTION_LOST'));

    await expect(clientOf(broker).query('INSERT')).rejects.toMatchObject({ outcome: 'not_applied' });
    expect(broker.seen).toHaveLength(1);
  });
});
