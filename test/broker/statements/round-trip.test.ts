import { expect, test } from 'vitest';
import { connect, decimal, json, list } from '../../../lib/index.ts';
import { useBroker } from '../../support/use-broker.ts';
import { COLUMN_CASES } from '../support/column-cases.ts';

const { database, broker } = await useBroker();
await database.admin.query("SET sql_mode = '', time_zone = '+00:00'");

function isKnownToServer(since: (typeof COLUMN_CASES)[number]['since']): boolean {
  const { flavour, version } = database.server;
  if (since === undefined) return true;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [sinceMajor, sinceMinor] = since[flavour] ?? [Number.POSITIVE_INFINITY, 0];
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** Types that a result calls otherwise than CREATE TABLE. */
const SHOWN_AS: Readonly<Record<string, string>> = {
  BOOLEAN: 'TINYINT',
  TINYTEXT: 'TEXT',
  MEDIUMTEXT: 'TEXT',
  LONGTEXT: 'TEXT',
  TINYBLOB: 'BLOB',
  MEDIUMBLOB: 'BLOB',
  LONGBLOB: 'BLOB',
  POINT: 'GEOMETRY',
  GEOMETRYCOLLECTION: 'GEOMETRY',
};

/** Rows of one value, each written in another way, in the order in which they were written. */
async function cells(id: number): Promise<unknown[]> {
  return (await broker.query('SELECT c FROM kept WHERE id = ? ORDER BY n', [id])).rows.flat();
}

test.each(COLUMN_CASES)('$type goes in and comes out as it was, again and again', async (column) => {
  if (!isKnownToServer(column.since)) return;
  const { url, keys } = broker;
  const client = connect({ url, key: keys.writer, rows: 'array', bigint: 'bigint', json: 'text' });
  await database.admin.query('DROP TABLE IF EXISTS app.kept');
  await database.admin.query(
    `CREATE TABLE app.kept (n INT AUTO_INCREMENT PRIMARY KEY, id INT NOT NULL, c ${column.type} NULL)`,
  );
  for (const [id, { sql, cell, param }] of column.values.entries()) {
    await database.admin.query(`INSERT INTO app.kept (id, c) VALUES (${id}, ${sql})`);
    await broker.query('INSERT INTO kept (id, c) VALUES (?, ?)', [id, param]);
    const [, written] = await cells(id);
    await broker.query('INSERT INTO kept (id, c) VALUES (?, ?)', [id, written]);
    const { rows } = await client.query<[string | number | Uint8Array]>(
      'SELECT c FROM kept WHERE id = ? AND n % 2 = 1 LIMIT 1',
      [id],
    );
    await client.query('INSERT INTO kept (id, c) VALUES (:id, :read)', { id, read: rows[0]?.[0] ?? null });

    expect(await cells(id)).toEqual([cell, cell, cell, cell]);
  }
  const [name = ''] = column.type.split(/[( ]/);
  const { columns } = await broker.query('SELECT c FROM kept LIMIT 0');
  expect(columns[0]?.type).toBe(SHOWN_AS[name] ?? name);
  const different = 'SELECT COUNT(*) AS n FROM app.kept a JOIN app.kept b USING (id) WHERE NOT (a.c <=> b.c)';
  expect(await database.admin.query(different)).toEqual([{ n: 0 }]);
});

test("the client's own kinds of values are stored as they are meant", async () => {
  const client = connect({ url: broker.url, key: broker.keys.writer });
  await database.admin.query(
    `CREATE TABLE app.meant (day DATETIME(3), big BIGINT UNSIGNED, data BLOB, price DECIMAL(20,10), doc JSON)`,
  );
  await client.query('INSERT INTO meant VALUES (?, ?, ?, ?, ?)', [
    new Date('2024-02-29T23:59:59.007+02:00'),
    2n ** 64n - 1n,
    Uint8Array.of(0, 255, 39, 92),
    decimal('1.1000000000'),
    json({ text: "it's \\ \u{1F600}", list: [1e300, null] }),
  ]);
  const { rows } = await client.query('SELECT * FROM meant WHERE big IN (?)', [list([5, 2n ** 64n - 1n])]);
  expect(rows).toEqual([
    {
      day: '2024-02-29 21:59:59.007',
      big: '18446744073709551615',
      data: Uint8Array.of(0, 255, 39, 92),
      price: '1.1000000000',
      doc: { text: "it's \\ \u{1F600}", list: [1e300, null] },
    },
  ]);
  const twins = 'SELECT 1 AS a, 2 AS a';
  await expect(client.query(twins)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  const arrays = connect({ url: broker.url, key: broker.keys.writer, rows: 'array' });
  expect((await arrays.query(twins)).rows).toEqual([[1, 2]]);
});
