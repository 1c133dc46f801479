import { randomUUID } from 'node:crypto';
import { createPool } from 'mysql2';
import type { PoolConnection } from 'mysql2/promise';
import { buildBareService, type Question, serve } from './bare-service.ts';
import { driverOptions } from './driver-options.ts';

// The least that one can write: Fastify on mysql2's own pool, without keys, checks, deadlines, limits and clean-up.

const pool = createPool(driverOptions());
const promisePool = pool.promise();
const open = new Map<string, PoolConnection>();

const app = buildBareService(({ sql, params }, answered) => pool.query(sql, params, answered));

app.post<{ Body: { statements: Question[] } }>('/v1/databases/default/transaction', async (request) => {
  const connection = await promisePool.getConnection();
  await connection.beginTransaction();
  const results = [];
  for (const { sql, params } of request.body.statements) {
    const [rows] = await connection.query(sql, params);
    results.push({ rows });
  }
  await connection.commit();
  connection.release();
  return { results };
});

app.post('/v1/databases/default/transactions', async () => {
  const connection = await promisePool.getConnection();
  await connection.beginTransaction();
  const transactionId = randomUUID();
  open.set(transactionId, connection);
  return { transactionId, idleTimeoutMs: 0, expiresAt: '' };
});

app.post<{ Params: { id: string }; Body: Question }>('/v1/transactions/:id/query', async (request) => {
  const [rows] = (await open.get(request.params.id)?.query(request.body.sql, request.body.params)) ?? [];
  return { rows };
});

app.post<{ Params: { id: string } }>('/v1/transactions/:id/commit', async (request) => {
  const connection = open.get(request.params.id);
  open.delete(request.params.id);
  await connection?.commit();
  connection?.release();
  return { status: 'committed' };
});

await serve(app);
