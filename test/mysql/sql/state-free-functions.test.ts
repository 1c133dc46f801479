import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
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

/** Whether the expression calls a function of the user's that has this name and so many parameters. */
async function isUsersOwn(name: string, parameterCount: number, expression: string): Promise<boolean> {
  const parameters = ['a INT', 'b INT'].slice(0, parameterCount).join();
  await connection.query('SET @called = NULL');
  await connection.query(
    `CREATE FUNCTION app.\`${name}\`(${parameters}) RETURNS INT NO SQL BEGIN SET @called = 1; RETURN 1; END`,
  );
  // What the server cannot read calls nothing.
  await connection.query(`SELECT ${expression}`).catch(() => undefined);
  await connection.query(`DROP FUNCTION app.\`${name}\``);
  const [rows] = await connection.query<RowDataPacket[]>('SELECT @called');
  return rows[0]?.[0] !== null;
}

test.each(['', 'ANSI'])(
  'no listed name calls a function of the user under sql_mode "%s"',
  async (sqlMode) => {
    await connection.query(`SET sql_mode = '${sqlMode}'`);
    const called: string[] = [];
    for (const values of ['', '1', '1, 2']) {
      const expressions = [
        ...[...KEYWORDS].flatMap((name) => [
          [name, `${name}(${values})`],
          [name, `${name} (${values})`],
        ]),
        ...[...STATE_FREE_FUNCTIONS, ...WINDOW_FUNCTIONS].map((name) => [name, `${name}(${values})`]),
      ];
      for (const [name = '', expression = ''] of expressions) {
        const count = values === '' ? 0 : values.split(',').length;
        if (await isUsersOwn(name, count, expression)) called.push(expression);
      }
    }
    expect(called).toEqual([]);
  },
);

/** Names that MySQL has reserved since. */
const RESERVED_ON_MYSQL = ['rank', 'lateral'];

test.each([
  ['count', 'count (1)'],
  ['rank', 'RANK (1)'],
  ['abs', 'app.abs(1)'],
  ['now', '`now`(1)'],
  ['lateral', 'lateral (1)'],
])('a function of the user that is named %s is called by %s', async (name, expression) => {
  await connection.query("SET sql_mode = ''");
  const isReserved = database.server.flavour === 'mysql' && RESERVED_ON_MYSQL.includes(name);
  expect(await isUsersOwn(name, 1, expression)).toBe(!isReserved);
});
