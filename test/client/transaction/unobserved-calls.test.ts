import { expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { failure } from '../../support/stub-broker.ts';
import { startTransactions } from '../support/transaction-stub.ts';

const clientOf = ({ url }: { url: string }) => connect({ url, key: 'k', timeoutMs: 5_000 });

async function refusing(refused: string) {
  return await startTransactions((step) => (step === refused ? failure(409, 'DUPLICATE_KEY') : undefined));
}

test('a call that nobody waits for rolls back also when it fails before the callback ends', async () => {
  await using broker = await refusing('INSERT a');

  const failed = clientOf(broker).transaction(async (tx) => {
    void tx.query('INSERT a');
    await tx.query('INSERT b');
  });

  await expect(failed).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
  expect(broker.steps).toEqual(['begin', 'INSERT a', 'INSERT b', 'rollback']);
});

test('a refused call that nobody waits for rolls back', async () => {
  await using broker = await startTransactions();

  const failed = clientOf(broker).transaction(async (tx) => {
    await tx.savepoint(async (sp) => {
      void tx.query('INSERT a');
      await sp.query('INSERT b');
    });
  });

  await expect(failed).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  expect(broker.steps.at(-1)).toBe('rollback');
});

test('in a savepoint it undoes the savepoint only', async () => {
  await using broker = await refusing('INSERT a');

  await clientOf(broker).transaction(async (tx) => {
    const work = tx.savepoint(async (sp) => {
      void sp.query('INSERT a');
      await sp.query('INSERT b');
    });
    await expect(work).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
  });

  expect(broker.steps.slice(-2)).toEqual(['ROLLBACK TO SAVEPOINT client_1', 'commit']);
});

test.each([
  ['awaited later', async (call: Promise<unknown>) => await expect(call).rejects.toThrow()],
  ['caught', (call: Promise<unknown>) => void call.catch(() => {})],
  ['settled with others', async (call: Promise<unknown>) => void (await Promise.allSettled([call]))],
])('a failure that is %s leaves the transaction as it is', async (_, heed) => {
  await using broker = await refusing('INSERT a');

  await clientOf(broker).transaction(async (tx) => {
    const call = tx.query('INSERT a');
    await tx.query('INSERT b');
    await heed(call);
  });

  expect(broker.steps).toEqual(['begin', 'INSERT a', 'INSERT b', 'commit']);
});
