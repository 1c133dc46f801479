import type { DatabaseAdmin } from './database-admin.ts';
import type { DatabaseServer } from './database-server.ts';
import { everyTypeStatements } from './every-type.ts';

export const DEMO_DATABASE = 'shop';

const DIGIT = `(${[...'0123456789'].map((digit) => `SELECT ${digit} AS digit`).join(' UNION ALL ')})`;
/** 0 to 9999, without a recursive query, which MySQL stops at 1000. */
const NUMBERS = `(SELECT a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit AS n
  FROM ${DIGIT} a, ${DIGIT} b, ${DIGIT} c, ${DIGIT} d) numbers`;

const SHOP = [
  `CREATE TABLE shop.customers (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    email VARCHAR(100) NOT NULL UNIQUE,
    country CHAR(2) NOT NULL,
    created_at DATETIME(6) NOT NULL
  )`,
  `CREATE TABLE shop.products (
    id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    name VARCHAR(100) NOT NULL,
    price DECIMAL(10,2) NOT NULL,
    stock INT UNSIGNED NOT NULL
  )`,
  `CREATE TABLE shop.orders (
    id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
    customer_id INT UNSIGNED NOT NULL,
    product_id INT UNSIGNED NOT NULL,
    quantity INT UNSIGNED NOT NULL,
    total DECIMAL(12,2) NOT NULL,
    status ENUM('placed','paid','sent','returned') NOT NULL,
    created_at DATETIME NOT NULL,
    FOREIGN KEY (customer_id) REFERENCES customers (id),
    FOREIGN KEY (product_id) REFERENCES products (id)
  )`,
  `INSERT INTO shop.customers (id, name, email, country, created_at)
    SELECT n + 1, CONCAT(ELT(n % 5 + 1, 'Ada', 'Björn', 'Chloé', 'Dmitri', '惠子'), ' ', n + 1), CONCAT('customer', n + 1, '@shop.example'),
      ELT(n % 4 + 1, 'DE', 'FR', 'JP', 'SE'), '2024-01-01' + INTERVAL n * 3671 SECOND
    FROM ${NUMBERS} WHERE n < 2000`,
  `INSERT INTO shop.products (id, name, price, stock)
    SELECT n + 1, CONCAT(ELT(n % 4 + 1, 'Lamp', 'Chair', 'Table', 'Shelf'), ' No. ', n + 1), 5 + n * 1.75, 1000 + n
    FROM ${NUMBERS} WHERE n < 200`,
  `INSERT INTO shop.orders (id, customer_id, product_id, quantity, total, status, created_at)
    SELECT n + 1, n * 7 % 2000 + 1, products.id, n % 4 + 1, products.price * (n % 4 + 1),
      ELT(n % 4 + 1, 'placed', 'paid', 'sent', 'returned'), '2024-06-01' + INTERVAL n * 907 SECOND
    FROM ${NUMBERS} JOIN shop.products ON products.id = n * 13 % 200 + 1`,
];

/** Makes the database `shop`: customers, products, ten thousand orders, and `every_type` with each column type. */
export async function createDemoData(
  admin: DatabaseAdmin,
  server: Pick<DatabaseServer, 'flavour' | 'version'>,
): Promise<void> {
  await admin.createDatabase(DEMO_DATABASE);
  // TIMESTAMP values are given in UTC.
  await admin.query("SET time_zone = '+00:00'");
  for (const statement of [...SHOP, ...everyTypeStatements(DEMO_DATABASE, server)])
    await admin.query(statement);
}
