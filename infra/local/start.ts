/**
 * `npm start`: the broker and the functions on this machine, with a private database, until Ctrl-C.
 *
 * DATABASE_URL=mysql://user:password@host:port/database uses that database instead, as it is and without TLS.
 * Ports that are taken are replaced by the next free ones. Nothing is left behind, whatever ends this process.
 */
import { startBroker } from './broker-service.ts';
import { checkLogin, startDemoDatabase, useDatabase } from './database/local-database.ts';
import { startFunctions } from './functions-service.ts';
import { makeTemporaryFolder, removeTemporaryFolder } from './process/temporary-folder.ts';
import { requestsToTry } from './requests-to-try.ts';
import { runStep } from './step.ts';

/** Ends what has been started, in order of the start. */
const stops: (() => Promise<void>)[] = [];

async function main(): Promise<number> {
  const asked = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(0));
  });
  try {
    return await Promise.race([asked, run()]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    console.log('Stopping ...');
    for (const stop of stops.toReversed()) await stop();
  }
}

/** Starts everything and rejects when something of it ends. */
async function run(): Promise<never> {
  const folder = await makeTemporaryFolder('local');
  stops.push(() => removeTemporaryFolder(folder));

  const { DATABASE_URL } = process.env;
  const database = DATABASE_URL ? useDatabase(DATABASE_URL) : await startDemoDatabase(console.log);
  if (DATABASE_URL) await runStep('Logging in at the database of DATABASE_URL', () => checkLogin(database));
  stops.push(database.stop);

  const broker = await startBroker(folder, database);

  stops.push(broker.stop);
  const functions = await startFunctions(broker.url, broker.callerKey);
  stops.push(functions.stop);

  console.log(`
Functions  ${functions.url}
Broker     ${broker.url}

${requestsToTry(database.hasDemoData, functions.url, broker)}
Ctrl-C stops everything.
`);
  return await Promise.race([broker.failed, functions.failed]);
}

process.exit(await main());
