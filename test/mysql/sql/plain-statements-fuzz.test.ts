import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import { scanStatement } from '../../../lib/mysql/sql/statement-scan.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { fc } from '../../support/random.ts';
import { OWN_FUNCTIONS, statement } from './support/statement-arbitrary.ts';

let database: TestDatabase;
let connection: Connection;

beforeAll(async () => {
  database = await startTestDatabase();
  const { host, port } = database.server;
  const flags = ['-IGNORE_SPACE'];
  connection = await createConnection({ host, port, ...database.app, rowsAsArray: true, flags });
  await connection.query('CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, b TEXT, KEY k (a))');
  if (database.server.flavour === 'mariadb') await connection.query('CREATE SEQUENCE s');
  for (const name of OWN_FUNCTIONS) {
    await connection.query(
      `CREATE FUNCTION app.\`${name}\`() RETURNS INT NO SQL
       BEGIN SET @trace = 1; DO GET_LOCK('trace', 0); RETURN 1; END`,
    );
  }
});

afterAll(async () => {
  await connection.end();
  await database.stop();
});

async function rowsOf(sql: string): Promise<unknown[][]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return rows.map((row) => Object.values(row));
}

async function runs(sql: string): Promise<boolean> {
  return await connection.query(sql).then(
    () => true,
    () => false,
  );
}

/** Set by every statement, or different each time that one looks. */
const VOLATILE =
  /^(timestamp|last_insert_id|identity|rand_seed\d|error_count|warning_count|last_gtid|statement_id)$/;

/** What a later borrower could find on the connection. */
async function traces(): Promise<unknown> {
  const variables = await rowsOf('SHOW SESSION VARIABLES');
  const isMariadb = database.server.flavour === 'mariadb';
  return {
    own: await rowsOf("SELECT @trace, @a, IS_USED_LOCK('trace'), IS_USED_LOCK('one')"),
    sequence: isMariadb ? await rowsOf('SELECT LASTVAL(s), @@in_transaction') : undefined,
    hasTemporaryTable: await runs('SELECT 1 FROM left_over'),
    session: variables.filter(([name]) => !VOLATILE.test(String(name))),
  };
}

test.each(['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'IGNORE_SPACE', 'ANSI'])(
  'whatever the scanner calls plain leaves nothing under sql_mode "%s"',
  async (sqlMode) => {
    const mode = parseSqlMode(sqlMode);
    const begin = async () => {
      await connection.reset();
      await connection.query(`SET NAMES utf8mb4, sql_mode = '${sqlMode}'`);
      // What was made up at random may wait for something.
      if (database.server.flavour === 'mariadb') await connection.query('SET max_statement_time = 5');
      await database.admin.query('DELETE FROM app.t WHERE id <> 1');
      await database.admin.query("REPLACE INTO app.t VALUES (1, 1, 'one')");
    };
    await begin();
    const untouched = await traces();
    let plain = 0;
    let leaving = 0;

    const property = fc.asyncProperty(statement, async (sql) => {
      const { isPlain, unreadable, hasSeveralStatements } = scanStatement(sql, mode);
      fc.pre(unreadable === undefined && !hasSeveralStatements);
      const hasRun = await runs(sql);
      if (hasRun && isPlain) {
        plain += 1;
        expect(await traces(), sql).toEqual(untouched);
        if (sql.startsWith('SELECT')) return;
      } else if (hasRun && JSON.stringify(await traces()) !== JSON.stringify(untouched)) leaving += 1;
      // The pool too resets after what is not plain, and after what failed.
      await begin();
      fc.pre(hasRun);
    });
    await fc.assert(property, { numRuns: 150, maxSkipsPerRun: 1_000 });
    expect(plain).toBeGreaterThan(15);
    expect(leaving).toBeGreaterThan(15);
  },
  60_000,
);
