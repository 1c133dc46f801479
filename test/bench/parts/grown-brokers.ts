import type { Account } from '../../../infra/local/database/database-admin.ts';
import { BegunTransaction } from '../../../lib/protocol/transaction.ts';
import type { TestServer } from '../../support/database/own-database.ts';
import { HttpClient } from '../load/http-client.ts';
import type { LoadProcess } from '../load/load-process.ts';
import { CALLER_KEY, SELECT_BY_KEY } from '../statements.ts';
import { startBroker } from '../subjects/broker.ts';
import type { ServiceProcess } from '../subjects/service-process.ts';
import type { Subject } from '../subjects/subject.ts';

/** Longer than any turn. */
const HELD_MS = 600_000;

export async function startWithAliases(
  server: TestServer,
  account: Account,
  load: LoadProcess,
  aliases: number,
): Promise<Subject> {
  // However many aliases: the server does not bear more connections.
  const alias = { pool: { size: 1, maxOverflow: 0 } };
  const broker = await startBroker(server, account, { aliases, alias });
  const client = new HttpClient(broker.url, CALLER_KEY);
  // Logins are no part of what a request costs.
  for (let index = 0; aliases > 1 && index < aliases; index += 1) {
    await client.post(`/v1/databases/alias-${index}/query`, { sql: SELECT_BY_KEY, params: [1] });
  }
  client.close();
  return asSubject(broker, account, load);
}

/** A broker with so many transactions open, beside which others ask. */
export async function startWithOpenTransactions(
  server: TestServer,
  account: Account,
  load: LoadProcess,
  count: number,
): Promise<Subject> {
  const alias = {
    pool: { size: count + 10, maxOverflow: 0 },
    transactions: { maxOpen: count, idleTimeoutMs: HELD_MS, lifetimeMs: HELD_MS },
  };
  const broker = await startBroker(server, account, { alias });
  const client = new HttpClient(broker.url, CALLER_KEY);
  const open: string[] = [];
  for (let opened = 0; opened < count; opened += 1) {
    const begun = await client.post('/v1/databases/default/transactions', {});
    open.push(BegunTransaction.parse(JSON.parse(begun.text())).transactionId);
  }
  const stop = async () => {
    for (const id of open) await client.post(`/v1/transactions/${id}/rollback`, {});
    client.close();
    await broker.stop();
  };
  return asSubject({ ...broker, stop }, account, load);
}

function asSubject({ url, pid, stop }: ServiceProcess, { user }: Account, load: LoadProcess): Subject {
  return { name: 'broker', user, pid, kinds: undefined, run: (job) => load.run({ ...job, url }), stop };
}
