import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServerLogin } from '../../../lib/credentials/login.ts';
import { openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { Wire } from '../../../lib/mysql/driver/wire.ts';
import { type ColumnSet, NO_COLUMNS } from '../../../lib/mysql/result/column-definitions.ts';
import { JsonWriter } from '../../../lib/mysql/result/json-writer.ts';
import { ResultCollector, rowsOf } from '../../../lib/mysql/result/result-collector.ts';
import { writeRow } from '../../../lib/mysql/result/text-row.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

// What we rely on of mysql2 beyond its documentation: how a query reads rows.

let database: TestDatabase;
let wire: Wire;

beforeAll(async () => {
  database = await startTestDatabase();
  wire = new Wire(await openDriver(login(), async () => undefined, 5_000));
});

afterAll(async () => {
  wire.end();
  await wire.closed;
  await database.stop();
});

function login(): ServerLogin {
  const { host, port } = database.server;
  const { user: username, password, database: name } = database.app;
  return { host, port, username, password, database: name, versionId: '1' };
}

async function rows(sql: string): Promise<unknown> {
  const limits = { maxRows: 1_000, maxResultBytes: 50_000_000 };
  const collector = new ResultCollector(limits, () => undefined);
  await wire.run(sql, collector);
  return rowsOf(collector.result());
}

test.each([0, 1, 250, 251, 252, 253, 254, 255, 256, 65_535, 65_536, 1_000_000])(
  'a cell of %i bytes is read whole, and so are its neighbours',
  async (length) => {
    const text = 'x'.repeat(length);
    expect(await rows(`SELECT 'a', REPEAT('x', ${length}), NULL, 'b'`)).toEqual([['a', text, null, 'b']]);
  },
);

test('rows are handed on one packet at a time, also when the reader makes the server wait after each', async () => {
  const seen: number[] = [];
  let columnsSeen: ColumnSet = NO_COLUMNS;
  await wire.run('SELECT 1 UNION ALL SELECT 22 UNION ALL SELECT 333', {
    startSet: (columns) => {
      columnsSeen = columns;
    },
    addRow: ({ offset, end }) => {
      seen.push(end - offset);
      wire.pause();
      setImmediate(() => wire.resume());
    },
    finishStatement: () => undefined,
    maxRowBytes: 1_000,
    refuseRow: () => undefined,
    finishSet: () => undefined,
  });
  expect(columnsSeen.encodings).toHaveLength(1);
  expect(seen).toEqual([2, 3, 4]);
});

test('a row of fewer cells than columns ends the connection instead of a wrong answer', async () => {
  const other = new Wire(await openDriver(login(), async () => undefined, 5_000));
  const collector = new ResultCollector({ maxRows: 10, maxResultBytes: 1_000 }, () => undefined);
  const wrong = {
    startSet: () => collector.startSet(NO_COLUMNS),
    addRow: collector.addRow.bind(collector),
    finishStatement: () => undefined,
    maxRowBytes: 1_000,
    refuseRow: () => undefined,
    finishSet: () => undefined,
  };
  await expect(other.run('SELECT 1, 2', wrong)).rejects.toThrow();
  expect(other.isUsable).toBe(false);
  await other.closed;
});

test.each([
  ['as long as no memory is', [0xfe, 0, 0, 0, 0, 0, 1, 0, 0, 0x61]],
  ['longer than its row', [2, 0x61]],
])('a cell that claims to be %s is not written', (_, bytes) => {
  const json = new JsonWriter();
  const buffer = Buffer.from([...bytes, 1, 0x62]);
  const row = { buffer, offset: 0, end: bytes.length };
  expect(() => writeRow(json, row, ['text'])).toThrow('ends within a cell');
  expect(json.length).toBe('['.length);
});
