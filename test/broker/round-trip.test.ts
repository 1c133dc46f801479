import { expect, test } from 'vitest';
import { connect } from '../../lib/index.ts';
import { useBroker } from '../support/use-broker.ts';
import { COLUMN_CASES } from './support/column-cases.ts';

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
