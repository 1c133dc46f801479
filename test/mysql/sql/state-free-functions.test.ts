import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  KEYWORDS,
  STATE_FREE_FUNCTIONS,
  WINDOW_FUNCTIONS,
} from '../../../lib/mysql/sql/state-free-functions.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const flags = ['-IGNORE_SPACE'];
  connection = await createConnection({ host, port, ...database.app, rowsAsArray: true, flags });
});

afterAll(async () => {
  await connection.end();
  await database.stop();
});

/** Makes a function of the user's in a schema; each call of one adds its name to @called. */
async function createFunction(schema: string, name: string, parameterCount: number): Promise<void> {
  const parameters = ['a INT', 'b INT'].slice(0, parameterCount).join();
  const body = `BEGIN SET @called = CONCAT(@called, '${name} '); RETURN 1; END`;
  await connection.query(`CREATE FUNCTION ${schema}.\`${name}\`(${parameters}) RETURNS INT NO SQL ${body}`);
}

/** The names of the functions of the user's that these expressions call, in the schema that is in use. */
async function calledBy(expressions: readonly string[]): Promise<unknown> {
  await connection.query("SET @called = ''");
  for (const expression of expressions) {
    // What the server cannot read calls nothing.
    await connection.query(`SELECT ${expression}`).catch(() => undefined);
  }
  const [rows] = await connection.query<RowDataPacket[]>('SELECT @called');
  return rows[0]?.[0];
}

describe.each([
  [0, ''],
  [1, '1'],
  [2, '1, 2'],
])('no listed name calls a function of the user with %i parameters', (count, values) => {
  const schema = `with_${count}`;

  beforeAll(async () => {
    await database.admin.query(`CREATE DATABASE ${schema}`);
    await database.admin.query(`GRANT ALL ON ${schema}.* TO ${database.app.user}`);
    for (const name of new Set([...KEYWORDS, ...STATE_FREE_FUNCTIONS, ...WINDOW_FUNCTIONS])) {
      await createFunction(schema, name, count);
    }
  });

  test.each(['', 'ANSI'])('under sql_mode "%s"', async (sqlMode) => {
    await connection.query(`USE ${schema}`);
    await connection.query(`SET sql_mode = '${sqlMode}'`);
    const expressions = [
      ...[...KEYWORDS].flatMap((name) => [`${name}(${values})`, `${name} (${values})`]),
      ...[...STATE_FREE_FUNCTIONS, ...WINDOW_FUNCTIONS].map((name) => `${name}(${values})`),
    ];
    expect(await calledBy(expressions)).toBe('');
  });
});

/** Names that MySQL has reserved since. */
const RESERVED_ON_MYSQL = ['rank', 'lateral'];

test.each([
  ['count', 'count (1)'],
  ['rank', 'RANK (1)'],
  ['abs', 'app.abs(1)'],
  ['now', '`now`(1)'],
  ['lateral', 'lateral (1)'],
])('a function of the user that is named %s is called by %s', async (name, expression) => {
  await connection.query('USE app');
  await connection.query("SET sql_mode = ''");
  await createFunction('app', name, 1);
  const isReserved = database.server.flavour === 'mysql' && RESERVED_ON_MYSQL.includes(name);
  expect(await calledBy([expression])).toBe(isReserved ? '' : `${name} `);
});
