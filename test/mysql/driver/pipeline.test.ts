import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import type { ResultSink } from '../../../lib/mysql/driver/text-query.ts';
import { Wire } from '../../../lib/mysql/driver/wire.ts';
import { ResultCollector, rowsOf } from '../../../lib/mysql/result/result-collector.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

// What we rely on of mysql2 beyond its documentation: how it sends a command and takes its answer.

let database: TestDatabase;
let proxy: Server;
let wire: Wire;
/** Until so many bytes have been sent, the answers are held back. */
let bytesAwaited = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  proxy = createServer((client) => {
    const server = connect({ host, port });
    const held: Buffer[] = [];
    const release = () => {
      if (bytesAwaited <= 0) for (const answer of held.splice(0)) client.write(answer);
    };
    client.on('data', (sent) => {
      bytesAwaited -= sent.length;
      server.write(sent);
      release();
    });
    server.on('data', (answer) => {
      held.push(answer);
      release();
    });
    // MySQL may say something behind the goodbye, when nobody listens any more.
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  const address = proxy.address();
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
  const { user: username, password, database: name } = database.app;
  const login = { host: '127.0.0.1', port: address.port, username, password, database: name, versionId: '1' };
  wire = new Wire(await openDriver(login, async () => undefined, 5_000));
});

afterAll(async () => {
  wire.end();
  await wire.closed;
  proxy.close();
  await database.stop();
});

/** A statement that is run into `answers`, under its own text. */
function asking(answers: Map<string, unknown>): (sql: string) => Promise<void> {
  return async (sql) => {
    const collector = new ResultCollector({ maxRows: 10, maxResultBytes: 10_000 }, () => undefined);
    await wire.run(sql, collector).then(
      () => answers.set(sql, rowsOf(collector.result())[0]?.[0]),
      (error: Error) => answers.set(sql, error.message),
    );
  };
}

test('all commands are sent before the first answer comes', async () => {
  const answers = new Map<string, unknown>();
  const ask = asking(answers);
  const statements = ["SELECT 'one'", "SELECT 'two'"];
  // Four bytes before each command, one that names it; a reset is nothing else.
  bytesAwaited = 5 + statements.join('').length + 2 * 5;
  await wire.together(() => [wire.reset(), ...statements.map(ask)]);
  expect([...answers.values()]).toEqual(['one', 'two']);
  expect(bytesAwaited).toBeLessThanOrEqual(0);
});

test('each command has its own answer, also behind one that fails', async () => {
  const answers = new Map<string, unknown>();
  const ask = asking(answers);
  const statements = ["SELECT 'a'", 'SELECT nonsense', "SELECT 'b'", 'DO 0', "SELECT 'c'"];
  await wire.together(() => statements.map(ask));
  expect([...answers]).toEqual([
    ["SELECT 'a'", 'a'],
    ['SELECT nonsense', expect.stringContaining('nonsense')],
    ["SELECT 'b'", 'b'],
    ['DO 0', undefined],
    ["SELECT 'c'", 'c'],
  ]);
  await ask("SELECT 'afterwards'");
  expect(answers.get("SELECT 'afterwards'")).toBe('afterwards');
});

test('what is sent along while an answer comes leaves that answer in order', async () => {
  const complaints = vi.spyOn(console, 'error');
  const answers: string[] = [];
  const collectorOf = () =>
    new ResultCollector({ maxRows: 2_000, maxResultBytes: 10_000_000 }, () => undefined);
  const first = collectorOf();
  const second = collectorOf();
  let along: Promise<void> | undefined;
  const sink: ResultSink = {
    startSet: (columns) => first.startSet(columns),
    addRow: (row) => {
      first.addRow(row);
      along ??= wire.runAlong("SELECT 'along'", second).then(() => void answers.push('along'));
    },
    maxRowBytes: first.maxRowBytes,
    refuseRow: () => undefined,
    finishSet: (warnings) => first.finishSet(warnings),
    finishStatement: (ok) => first.finishStatement(ok),
  };
  const four = 'SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4';
  await wire.run(`SELECT a.n, REPEAT('x', 1000) FROM (${four}) a, (${four}) b, (${four}) c`, sink);
  answers.push('first');
  await along;
  expect(rowsOf(first.result())).toHaveLength(64);
  expect(rowsOf(second.result())).toEqual([['along']]);
  expect(answers).toEqual(['first', 'along']);
  expect(complaints).not.toHaveBeenCalled();
});

test('a connection that is lost meanwhile fails all of them', async () => {
  const answers = new Map<string, unknown>();
  const ask = asking(answers);
  const asked = wire.together(() => ['SELECT SLEEP(10)', "SELECT 'never'"].map(ask));
  wire.destroy();
  await asked;
  expect(answers.get('SELECT SLEEP(10)')).toEqual(expect.any(String));
  expect(answers.get("SELECT 'never'")).not.toBe('never');
  expect(answers.get("SELECT 'never'")).toEqual(expect.any(String));
});
