import { expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { type Answer, failure } from '../../support/stub-broker.ts';
import { startTransactions } from '../support/transaction-stub.ts';

const clientOf = ({ url }: { url: string }) => connect({ url, key: 'k', timeoutMs: 5_000 });
const answering = (step: string, answer: () => Answer) => (seen: string) =>
  seen === step ? answer() : undefined;

test('what it did is released, and its result returned', async () => {
  await using broker = await startTransactions();

  const result = await clientOf(broker).transaction(
    async (tx) =>
      await tx.savepoint(async (outer) => {
        await outer.query('INSERT a');
        await outer.savepoint(async (inner) => await inner.query('INSERT b'));
        return 1;
      }),
  );

  expect(result).toBe(1);
  expect(broker.steps).toEqual([
    'begin',
    'SAVEPOINT client_1',
    'INSERT a',
    'SAVEPOINT client_2',
    'INSERT b',
    'RELEASE SAVEPOINT client_2',
    'RELEASE SAVEPOINT client_1',
    'commit',
  ]);
});

test('an error in it is thrown after what it did was undone, and the transaction goes on', async () => {
  await using broker = await startTransactions(answering('INSERT a', () => failure(409, 'DUPLICATE_KEY')));

  await clientOf(broker).transaction(async (tx) => {
    const failed = tx.savepoint(async (sp) => await sp.query('INSERT a'));
    await expect(failed).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
    await tx.query('INSERT b');
  });

  expect(broker.steps).toEqual([
    'begin',
    'SAVEPOINT client_1',
    'INSERT a',
    'ROLLBACK TO SAVEPOINT client_1',
    'INSERT b',
    'commit',
  ]);
});

test('nothing is undone by itself when the whole transaction has ended', async () => {
  const deadlock = () => failure(409, 'LOCK_TIMEOUT', { transaction: 'ended' });
  await using broker = await startTransactions(answering('INSERT a', deadlock));

  const failed = clientOf(broker).transaction(
    async (tx) => await tx.savepoint(async (sp) => await sp.query('INSERT a')),
  );

  await expect(failed).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
  expect(broker.steps).toEqual(['begin', 'SAVEPOINT client_1', 'INSERT a']);
});

test('nothing is committed when what it did could not be undone, whatever the callback swallows', async () => {
  await using broker = await startTransactions(
    answering('ROLLBACK TO SAVEPOINT client_1', () => failure(503, 'POOL_TIMEOUT', { transaction: 'open' })),
  );

  const failed = clientOf(broker).transaction(async (tx) => {
    const work = tx.savepoint(async (sp) => {
      await sp.query('INSERT a');
      throw new Error('the first');
    });
    await expect(work).rejects.toThrow('the first');
  });

  await expect(failed).rejects.toMatchObject({ code: 'TRANSACTION_ENDED', reason: 'rolled_back' });
  expect(broker.steps.at(-1)).toBe('rollback');
});

test('meanwhile calls of the transaction itself are refused', async () => {
  await using broker = await startTransactions();

  await clientOf(broker).transaction(async (tx) => {
    await tx.savepoint(async (sp) => {
      const busy = { code: 'INVALID_REQUEST', message: 'A savepoint of this transaction is still open' };
      await expect(tx.query('INSERT a')).rejects.toMatchObject(busy);
      await expect(tx.savepoint(async () => {})).rejects.toMatchObject(busy);
      await sp.query('INSERT b');
    });
    await tx.query('INSERT c');
  });

  expect(broker.steps).toEqual([
    'begin',
    'SAVEPOINT client_1',
    'INSERT b',
    'RELEASE SAVEPOINT client_1',
    'INSERT c',
    'commit',
  ]);
});

test('one that the callback did not wait for is finished before the commit', async () => {
  await using broker = await startTransactions();

  await clientOf(broker).transaction(async (tx) => {
    void tx.savepoint(async (sp) => await sp.query('INSERT a'));
  });

  expect(broker.steps).toEqual([
    'begin',
    'SAVEPOINT client_1',
    'INSERT a',
    'RELEASE SAVEPOINT client_1',
    'commit',
  ]);
});

test('one whose callback never ends is given up with the transaction', async () => {
  await using broker = await startTransactions();
  const db = connect({ url: broker.url, key: 'k', timeoutMs: 100 });

  const failed = db.transaction(async (tx) => await tx.savepoint(async () => await new Promise(() => {})));

  await expect(failed).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', outcome: 'not_applied' });
  expect(broker.steps).toEqual(['begin', 'SAVEPOINT client_1', 'rollback']);
});

test('an abort gives up one whose callback waits for something else', async () => {
  const controller = new AbortController();
  const reason = new Error('the user left');
  await using broker = await startTransactions();

  const failed = clientOf(broker).transaction(
    async (tx) =>
      await tx.savepoint(async () => {
        controller.abort(reason);
        await new Promise(() => {});
      }),
    { signal: controller.signal },
  );

  await expect(failed).rejects.toBe(reason);
  expect(broker.steps.at(-1)).toBe('rollback');
});
