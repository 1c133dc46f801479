import { expect, test } from 'vitest';
import { connect } from '../../../lib/index.ts';
import { type Answer, failure } from '../../support/stub-broker.ts';
import { columns, end, rows, streaming, streamOf, toText } from '../support/stream-stub.ts';
import { startTransactions } from '../support/transaction-stub.ts';

const clientOf = ({ url }: { url: string }) => connect({ url, key: 'k', timeoutMs: 5_000 });
const open = streaming((response) => response.write(toText([columns, rows('a', 'b')])));
const answering = (step: string, answer: Answer) => (seen: string) => (seen === step ? answer : undefined);

test('yields its rows, and other calls go before and after it', async () => {
  await using broker = await startTransactions(
    answering('SELECT rows', streamOf(columns, rows('a', 'b'), end)),
  );

  const names = await clientOf(broker).transaction(async (tx) => {
    void tx.query('UPDATE before');
    const taken: unknown[] = [];
    for await (const { name } of tx.stream('SELECT rows')) taken.push(name);
    await tx.query('UPDATE after');
    return taken;
  });

  expect(names).toEqual(['a', 'b']);
  expect(broker.steps).toEqual(['begin', 'UPDATE before', 'SELECT rows', 'UPDATE after', 'commit']);
});

test('other calls are refused while it is read', async () => {
  await using broker = await startTransactions(answering('SELECT rows', streamOf(columns, rows('a'), end)));

  await clientOf(broker).transaction(async (tx) => {
    for await (const _ of tx.stream('SELECT rows')) {
      await expect(tx.query('UPDATE a')).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        message: 'A stream of this transaction is still open',
      });
    }
  });

  expect(broker.steps).toEqual(['begin', 'SELECT rows', 'commit']);
});

test('the transaction goes on after a SELECT whose loop was left', async () => {
  await using broker = await startTransactions(answering('SELECT rows', open));

  await clientOf(broker).transaction(async (tx) => {
    for await (const _ of tx.stream('SELECT rows')) break;
    await tx.query('UPDATE a');
  });

  expect(broker.steps).toEqual(['begin', 'SELECT rows', 'UPDATE a', 'commit']);
});

test('nothing is committed after a write whose loop was left', async () => {
  const sql = 'INSERT INTO t SELECT * FROM s RETURNING id';
  await using broker = await startTransactions(answering(sql, open));

  const failed = clientOf(broker).transaction(async (tx) => {
    for await (const _ of tx.stream(sql)) break;
  });

  await expect(failed).rejects.toMatchObject({ code: 'TRANSACTION_ENDED', reason: 'rolled_back' });
  expect(broker.steps).toEqual(['begin', sql, 'rollback']);
});

test('one that the callback has forgotten is cut off at its end', async () => {
  await using broker = await startTransactions(answering('SELECT rows', open));
  const streams: AsyncGenerator[] = [];

  await clientOf(broker).transaction(async (tx) => {
    const stream = tx.stream('SELECT rows');
    streams.push(stream);
    await stream.next();
  });

  expect(broker.steps).toEqual(['begin', 'SELECT rows', 'commit']);
  await streams[0]?.next();
  await expect(streams[0]?.next()).rejects.toMatchObject({ code: 'TRANSACTION_ENDED' });
});

test('the failure that ends its rows rolls back, unless the transaction is over', async () => {
  const lost = failure(502, 'CONNECTION_LOST', { transaction: 'ended' }).json as object;
  await using broker = await startTransactions(answering('SELECT rows', streamOf(columns, rows('a'), lost)));

  const failed = clientOf(broker).transaction(async (tx) => {
    for await (const _ of tx.stream('SELECT rows'));
  });

  await expect(failed).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  expect(broker.steps).toEqual(['begin', 'SELECT rows']);
});

test('rows that break off are not_applied, as nothing is committed', async () => {
  await using broker = await startTransactions(answering('SELECT rows', streamOf(columns, rows('a'))));

  const failed = clientOf(broker).transaction(async (tx) => {
    for await (const _ of tx.stream('SELECT rows'));
  });

  await expect(failed).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE', outcome: 'not_applied' });
  expect(broker.steps).toEqual(['begin', 'SELECT rows', 'rollback']);
});
