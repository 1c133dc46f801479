import { createPool } from 'mysql2';
import { driverOptions } from '../services/driver-options.ts';
import {
  anyCounter,
  anyKey,
  INSERT,
  longStatement,
  SELECT_BY_KEY,
  SELECT_ROWS,
  slowStatement,
  UPDATE,
} from '../statements.ts';
import type { Workload } from './job.ts';
import { serveJobs } from './serve-jobs.ts';

// The driver without any HTTP: what the database and the driver allow at best.

const callbackPool = createPool(driverOptions());
const pool = callbackPool.promise();

const OPERATIONS: Readonly<Record<Workload['kind'], (size: number) => Promise<unknown>>> = {
  key: () => pool.query(SELECT_BY_KEY, [anyKey()]),
  rows: (size) => pool.query(SELECT_ROWS, [size]),
  insert: () => pool.query(INSERT, [anyKey()]),
  slow: (size) => pool.query(slowStatement(size)),
  long: (size) => pool.query(longStatement(size)),
  transaction: inTransaction,
  interactive: inTransaction,
  stream: readAll,
};

async function inTransaction(): Promise<void> {
  const connection = await pool.getConnection();
  await connection.beginTransaction();
  await connection.query(SELECT_BY_KEY, [anyKey()]);
  await connection.query(UPDATE, [anyCounter()]);
  await connection.commit();
  connection.release();
}

async function readAll(size: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const rows = callbackPool.query(SELECT_ROWS, [size]).stream();
    rows.on('data', () => undefined);
    rows.on('end', resolve);
    rows.on('error', reject);
  });
}

serveJobs(({ workload: { kind, size } }) => ({
  open: async () => undefined,
  operate: async () => {
    await OPERATIONS[kind](size);
  },
  close: () => undefined,
}));
