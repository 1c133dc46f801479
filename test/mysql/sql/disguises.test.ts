import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindStatement } from '../../../lib/mysql/sql/binding/bind.ts';
import { parseSqlMode } from '../../../lib/mysql/sql/lexer/sql-mode.ts';
import type { StatementContext } from '../../../lib/mysql/sql/statement-context.ts';
import { startTestDatabase, type TestDatabase } from '../../support/database/database.ts';
import { fc } from '../../support/random.ts';
import { DISGUISED_COMMITS, disguisedStatements } from './support/disguise-arbitrary.ts';
import { OpenTransaction } from './support/open-transaction.ts';

let database: TestDatabase;
let transaction: OpenTransaction;

beforeAll(async () => {
  database = await startTestDatabase();
  transaction = await OpenTransaction.connect(database);
});

afterAll(async () => {
  await transaction.close();
  await database.stop();
});

function isAllowed(sql: string, sqlMode: string, place: StatementContext): boolean {
  try {
    bindStatement(sql, undefined, parseSqlMode(sqlMode), place);
    return true;
  } catch {
    return false;
  }
}

test.each(DISGUISED_COMMITS)('a COMMIT is refused or harmless as %j', async (sql) => {
  await transaction.begin();
  await transaction.run(sql);
  const isOpen = await transaction.isOpen();
  expect(isOpen || !isAllowed(sql, '', 'in_transaction')).toBe(true);
});

test('many of these disguises are good enough for the server', async () => {
  let ended = 0;
  for (const sql of DISGUISED_COMMITS) {
    await transaction.begin();
    await transaction.run(sql);
    if (!(await transaction.isOpen())) ended += 1;
  }
  // Most are of MariaDB's own grammar.
  expect(ended).toBeGreaterThan(database.server.flavour === 'mysql' ? 8 : 15);
});

test.each(['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'ANSI'])(
  'no disguise ends a transaction or changes how its statements are read under sql_mode "%s"',
  async (sqlMode) => {
    await transaction.begin(sqlMode);
    const untouched = await transaction.session();
    let allowed = 0;
    const property = fc.asyncProperty(disguisedStatements, async (statements) => {
      const passing = statements.filter((sql) => isAllowed(sql, sqlMode, 'in_transaction'));
      const [first] = statements;
      fc.pre(first !== undefined && passing.includes(first));
      allowed += 1;
      await transaction.begin(sqlMode);
      for (const sql of passing) await transaction.run(sql);
      expect(await transaction.isOpen()).toBe(true);
      expect(await transaction.session()).toEqual(untouched);
    });
    await fc.assert(property, { numRuns: 60, maxSkipsPerRun: 1_000 });
    expect(allowed).toBeGreaterThan(30);
  },
);
