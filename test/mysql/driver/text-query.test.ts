import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { SessionTracker } from '../../../lib/mysql/driver/session-tracker.ts';
import { TextQuery } from '../../../lib/mysql/driver/text-query.ts';
import { Wire } from '../../../lib/mysql/driver/wire.ts';
import { ResultCollector } from '../../../lib/mysql/result/result-collector.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

// What we rely on of mysql2 beyond its documentation: how its line runs a command that is not its own.

let database: TestDatabase;
let wire: Wire;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const { user: username, password, database: name } = database.app;
  const login = { host, port, username, password, database: name, versionId: '1' };
  wire = new Wire(await openDriver(login, async () => undefined, 5_000));
});

afterAll(async () => {
  wire.end();
  await wire.closed;
  await database.stop();
});

async function ask(sql: string): Promise<unknown[]> {
  const collector = new ResultCollector({ maxRows: 2_000, maxResultBytes: 1_000_000 }, () => undefined);
  await wire.run(sql, collector);
  return collector.result().sets.map((set) => JSON.parse(set.toString()));
}

test('the same statement has the columns that its table has now', async () => {
  await ask('CREATE TABLE changing (a INT NOT NULL)');
  await ask('INSERT INTO changing VALUES (1)');
  expect(await ask('SELECT * FROM changing')).toMatchObject([
    { columns: [{ type: 'INT', nullable: false }] },
  ]);
  await ask('ALTER TABLE changing MODIFY a BIGINT');
  expect(await ask('SELECT * FROM changing')).toMatchObject([
    { columns: [{ type: 'BIGINT', nullable: true }], rows: [['1']] },
  ]);
  await ask('ALTER TABLE changing ADD b CHAR(3)');
  expect(await ask('SELECT * FROM changing')).toMatchObject([{ columns: [{}, { name: 'b' }] }]);
});

test('a set of a thousand columns is read, and so is one after the other', async () => {
  const wide = Array.from({ length: 1_000 }, (_, index) => `'${index}' AS c${index}`).join(', ');
  for (let round = 0; round < 2; round += 1) {
    const [set] = await ask(`SELECT ${wide}`);
    expect(set).toMatchObject({ rows: [Array.from({ length: 1_000 }, (_, index) => String(index))] });
  }
  expect(await ask('SELECT 1 AS narrow')).toMatchObject([{ columns: [{ name: 'narrow' }] }]);
});

test('a procedure answers its sets in order, those without rows too', async () => {
  await database.admin.query(
    `CREATE PROCEDURE ${database.app.database}.several() BEGIN SELECT 'one'; SELECT 'two' FROM DUAL WHERE FALSE; SELECT 'three'; END`,
  );
  expect(await ask('CALL several()')).toMatchObject([
    { rows: [['one']] },
    { rows: [] },
    { rows: [['three']] },
  ]);
});

// mysql2 sends one packet of up to 2^24 - 2 bytes, and what fills a packet is followed by another one.
test.each([-4, -3, -2, -1, 0])(
  'a statement of 2^24 %i bytes leaves the connection in order',
  async (more) => {
    const payload = 2 ** 24 + more;
    const begin = "SELECT 'whole' /*";
    await ask(`${begin}${'x'.repeat(payload - 1 - begin.length - 2)}*/`).then(
      (sets) => expect(sets).toMatchObject([{ rows: [['whole']] }]),
      // More than the server takes.
      (error: { errno?: number }) => expect(error.errno).toBe(1153),
    );
    if (more < -1) expect(await ask("SELECT 'next'")).toMatchObject([{ rows: [['next']] }]);
  },
);

test('a server that asks for a file is not answered', () => {
  const query = new TextQuery(
    'SELECT 1',
    {
      startSet: () => undefined,
      addRow: () => undefined,
      maxRowBytes: 1_000,
      refuseRow: () => undefined,
      finishSet: () => undefined,
      finishStatement: () => undefined,
    },
    new SessionTracker(),
    () => undefined,
  );
  query.next = 'head';
  const buffer = Buffer.from([0xfb, ...Buffer.from('/etc/passwd')]);
  const answer = {
    buffer,
    offset: 0,
    end: buffer.length,
    isError: () => false,
    isEOF: () => false,
    eofStatusFlags: () => 0,
    asError: () => new Error(),
  };
  const sent: unknown[] = [];
  const line = {
    addCommand: () => query,
    serverCapabilityFlags: 0,
    _mariadbExtendedMetadata: false,
    stream: new PassThrough(),
    sequenceId: 0,
    writePacket: (packet: unknown) => sent.push(packet),
    _resetSequenceId: () => undefined,
    _bumpSequenceId: () => undefined,
    packetParser: { execute: () => undefined },
    _command: undefined,
    _paused_packets: [],
  };
  expect(() => query.execute(answer, line)).toThrow('a request for a file');
  expect(sent).toEqual([]);
});
