import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDemoData } from '../../infra/local/database/demo-data.ts';
import { startTestDatabase, type TestDatabase } from '../support/database/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
  await createDemoData(database.admin, database.server);
});

afterAll(async () => {
  await database.stop();
});

test('the shop has thousands of orders, each with its customer and product', async () => {
  const rows = await database.admin.query(
    `SELECT COUNT(*) AS orders, COUNT(DISTINCT c.id) AS customers, COUNT(DISTINCT p.id) AS products
     FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id JOIN shop.products p ON p.id = o.product_id`,
  );

  expect(rows).toEqual([{ orders: 10_000, customers: 2000, products: 200 }]);
});

test('the farthest values of every_type are stored as they are', async () => {
  const [row] = await database.admin.query(
    `SELECT CAST(c_bigint_unsigned AS CHAR) AS big, CAST(c_decimal_65_30 AS CHAR) AS widest, CAST(c_datetime_6 AS CHAR) AS latest,
       CAST(c_timestamp_6 AS CHAR) AS stamp, CAST(c_time_6 AS CHAR) AS longest, HEX(c_bit_64) AS bits, LENGTH(c_blob) AS bytes, HEX(c_varchar) AS hard
     FROM shop.every_type WHERE label = 'extreme'`,
  );

  expect(row).toEqual({
    big: '18446744073709551615',
    widest: `${'9'.repeat(35)}.${'9'.repeat(30)}`,
    latest: '9999-12-31 23:59:59.999999',
    stamp: '2038-01-19 03:14:07.999999',
    longest: '-838:59:59.000000',
    bits: 'F'.repeat(16),
    bytes: 256,
    hard: Buffer.from('4 bytes: \u{1F600}, quotes: \' " `, backslash: \\, line:\n, percent: %_, zero: \0.')
      .toString('hex')
      .toUpperCase(),
  });
});

test('every_type has a row of nothing but NULL', async () => {
  const columns = await database.admin.query("SHOW COLUMNS FROM shop.every_type LIKE 'c\\_%'");
  expect(columns.length).toBeGreaterThanOrEqual(49);
  const areNull = columns.map(({ Field }) => `${String(Field)} IS NULL`).join(' AND ');

  expect(await database.admin.query(`SELECT id, label FROM shop.every_type WHERE ${areNull}`)).toEqual([
    { id: 3, label: 'null' },
  ]);
});
