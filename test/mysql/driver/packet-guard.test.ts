import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openDriver } from '../../../lib/mysql/driver/open-driver.ts';
import { Wire } from '../../../lib/mysql/driver/wire.ts';
import { ResultCollector } from '../../../lib/mysql/result/result-collector.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

/** Servers need long for such rows on a machine that is busy. */
vi.setConfig({ testTimeout: 110_000 });

const FULL_PACKET_BYTES = 2 ** 24 - 1;
/** Before a cell of 2^16 to 2^24 - 1 bytes, and before a longer one. */
const LENGTH_BYTES = 4;
const LONG_LENGTH_BYTES = 9;

let database: TestDatabase;
let wire: Wire;

beforeAll(async () => {
  database = await startTestDatabase();
  await database.admin.query('SET GLOBAL max_allowed_packet = 268435456');
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

/** What was exceeded and by how much, or the lengths of the cells. */
async function ask(sql: string, maxResultBytes: number): Promise<unknown> {
  let exceeded: unknown;
  const collector = new ResultCollector({ maxRows: 10, maxResultBytes }, (failure) => {
    exceeded = failure.limit;
  });
  await wire.run(sql, collector);
  if (exceeded !== undefined) return exceeded;
  const [set] = collector.result().sets;
  const { rows }: { rows: string[][] } = JSON.parse(String(set));
  return rows.map((row) => row.map((cell) => cell.length));
}

const sizes = [
  100_000,
  1_000_000,
  FULL_PACKET_BYTES - LENGTH_BYTES - 1,
  FULL_PACKET_BYTES - LENGTH_BYTES,
  FULL_PACKET_BYTES,
  FULL_PACKET_BYTES + 70_000,
  2 * FULL_PACKET_BYTES - LONG_LENGTH_BYTES - 1,
  2 * FULL_PACKET_BYTES - LONG_LENGTH_BYTES,
  2 * FULL_PACKET_BYTES + 3,
];

test.each(sizes)('a row of %i bytes comes whole where it is allowed', async (bytes) => {
  expect(await ask(`SELECT REPEAT('x', ${bytes}) UNION ALL SELECT 'behind'`, 200_000_000)).toEqual([
    [bytes],
    ['behind'.length],
  ]);
});

test.each(sizes)('a row of %i bytes is refused, and the connection stays in order', async (bytes) => {
  const complaint = vi.spyOn(console, 'error');
  expect(await ask(`SELECT REPEAT('x', ${bytes}) UNION ALL SELECT 'behind'`, 90_000)).toMatchObject({
    name: 'maxResultBytes',
    max: 90_000,
  });
  expect(await ask("SELECT 'next'", 1_000)).toEqual([['next'.length]]);
  // mysql2 writes there that packets are out of order.
  expect(complaint).not.toHaveBeenCalled();
});

test.each([20_000_000, 40_000_000])(
  'a row that goes on in other packets is refused once they exceed %i bytes',
  async (maxResultBytes) => {
    expect(await ask("SELECT REPEAT('x', 60000000)", maxResultBytes)).toMatchObject({
      name: 'maxResultBytes',
      max: maxResultBytes,
    });
    expect(await ask("SELECT 'next'", 1_000)).toEqual([['next'.length]]);
  },
);

test('several rows that are refused in one answer leave the connection in order', async () => {
  const large = "SELECT REPEAT('x', 17000000)";
  expect(await ask(`${large} UNION ALL ${large} UNION ALL SELECT 1`, 90_000)).toMatchObject({ max: 90_000 });
  expect(await ask("SELECT 'next'", 1_000)).toEqual([['next'.length]]);
});
