/**
 * `npm run demo:rotate`: rotates the password of the demo database while callers ask and a transaction is open, and
 * tells what happens. The database, the broker and a stand-in for Secrets Manager are its own, and end with it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createDemoData, DEMO_DATABASE } from '../../infra/local/database/demo-data.ts';
import { startOwnDatabase } from '../support/database/own-database.ts';
import { eventually, type HttpReply } from '../support/http.ts';
import { type RotationScene, startRotationScene } from '../support/rotation/rotation-scene.ts';
import { type LoadReport, SteadyLoad } from '../support/rotation/steady-load.ts';
import { beginWorking } from '../support/rotation/working-transaction.ts';

const REQUESTS_PER_SECOND = 100;
const CONNECTIONS = 5;
const QUIET_MS = 3_000;
const WINDOW_MS = 2_000;

let sinceMs = 0;

function say(text: string): void {
  console.log(`${((performance.now() - sinceMs) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
}

function summary({ served, failures, p99Ms, slowestMs }: LoadReport): string {
  const latencies = `99 % within ${p99Ms.toFixed(1)} ms, all within ${slowestMs.toFixed(1)} ms`;
  return `${served} requests served, ${failures.length} failed; ${latencies}`;
}

async function askForOrders({ post }: RotationScene, customer: number): Promise<HttpReply> {
  const sql = 'SELECT id, total, status FROM orders WHERE customer_id = ?';
  return await post('/v1/databases/default/query', { sql, params: [customer] });
}

/** Whether all went well. */
async function demonstrate(scene: RotationScene): Promise<boolean> {
  const { post, rotate, threads } = scene;
  sinceMs = performance.now();
  const load = new SteadyLoad(
    REQUESTS_PER_SECOND,
    async (turn) => await askForOrders(scene, (turn % 2_000) + 1),
  );
  await delay(QUIET_MS);
  load.take();
  say(`Callers ask ${REQUESTS_PER_SECOND} times a second, over ${CONNECTIONS} connections.`);
  await delay(QUIET_MS);
  const quiet = load.take();
  const transaction = await beginWorking(post, 'UPDATE products SET stock = stock - 1 WHERE id = 1');
  say('A transaction was begun, and does something every 100 ms.');

  const old = await threads();
  const oldOnes = async () => (await threads()).filter((thread) => old.includes(thread));
  await rotate(async () => {
    say(
      'setSecret: the server takes only the next password. The secret still names the last one as AWSCURRENT.',
    );
    await post('/v1/databases/default/reconnect', {}, 'admin-key');
    say(
      `For ${WINDOW_MS} ms it stays so, and every connection is to be replaced: AWSPENDING lets the new ones in.`,
    );
    await delay(WINDOW_MS);
  });
  say('finishSecret: the secret names the new password as AWSCURRENT.');
  await eventually(oldOnes, (threads) => threads.every((thread) => thread === transaction.threadId));
  say('The connections of the old password are closed, but for the one of the transaction.');
  await delay(QUIET_MS - WINDOW_MS);
  const statements = await transaction.commit();
  say(`The transaction is committed, with all of its ${statements} statements.`);
  await eventually(oldOnes, (threads) => threads.length === 0);
  say('Its connection is closed too.');
  const rotating = await load.stop();
  console.log(`\nBefore:           ${summary(quiet)}\nIn the rotation:  ${summary(rotating)}`);
  for (const failure of new Set(rotating.failures)) console.error(failure);
  return rotating.failures.length === 0;
}

async function main(): Promise<void> {
  console.log('Starting a private database, a stand-in for Secrets Manager and the broker ...');
  await using database = await startOwnDatabase();
  await createDemoData(database.admin, database.server);
  const shop = { ...database, app: { ...database.app, database: DEMO_DATABASE } };
  const pool = { size: CONNECTIONS, maxOverflow: 0, minIdle: CONNECTIONS };
  await using scene = await startRotationScene(shop, { user: 'shop_app', pool });
  process.exitCode = (await demonstrate(scene)) ? 0 : 1;
}

await main();
