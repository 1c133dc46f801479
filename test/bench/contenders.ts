import { createPool as buildGenericPool } from 'generic-pool';
import { createPool as buildMysql2Pool, type PoolConnection } from 'mysql2';
import { Pool as TarnPool } from 'tarn';
import { Deadline } from '../../lib/async/deadline.ts';
import { QueuePool } from '../../lib/pool/queue-pool.ts';
import type { TestDatabase } from '../support/database/own-database.ts';
import { OPTIONS, StubConnector } from './stub-connector.ts';

const { size, checkoutTimeoutMs, idleTimeoutMs } = OPTIONS;

/** One pool in the benchmark. */
export interface Contender {
  readonly name: string;
  /** One borrower after another; each gives its connection back at once. */
  alone(cycles: number): Promise<void>;
  /** Many borrowers at once; each holds its connection until the next microtask. */
  together(cycles: number, borrowers: number): Promise<void>;
  end(): Promise<void>;
}

function contender<T>(
  name: string,
  checkout: () => PromiseLike<T>,
  checkin: (connection: T) => void,
  end: () => Promise<void>,
): Contender {
  const borrow = async (cycles: number) => {
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const connection = await checkout();
      await Promise.resolve();
      checkin(connection);
    }
  };
  return {
    name,
    async alone(cycles) {
      for (let cycle = 0; cycle < cycles; cycle += 1) checkin(await checkout());
    },
    async together(cycles, borrowers) {
      await Promise.all(Array.from({ length: borrowers }, () => borrow(cycles / borrowers)));
    },
    end,
  };
}

/** `needsReset`: every borrower leaves something behind. Else all run plain statements. */
export function ours(name: string, needsReset: boolean): Contender {
  const pool = new QueuePool(new StubConnector(needsReset), OPTIONS);
  // The broker's metrics listen too.
  pool.events.on('checkout', () => undefined);
  return contender(
    name,
    () => pool.checkout({ caller: 'orders', purpose: 'request', takesUsed: !needsReset }),
    (pooled) => pooled.checkin(),
    () => pool.drain(Deadline.after(checkoutTimeoutMs)),
  );
}

export function tarn(): Contender {
  const pool = new TarnPool<object>({
    create: async () => ({}),
    destroy: () => undefined,
    validate: () => true,
    min: 0,
    max: size,
    acquireTimeoutMillis: checkoutTimeoutMs,
    createTimeoutMillis: checkoutTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
  });
  return contender(
    'tarn',
    () => pool.acquire().promise,
    (connection) => pool.release(connection),
    async () => {
      await pool.destroy();
    },
  );
}

export function genericPool(name: string, testOnBorrow: boolean): Contender {
  const pool = buildGenericPool<object>(
    { create: async () => ({}), destroy: async () => undefined, validate: async () => true },
    { max: size, acquireTimeoutMillis: checkoutTimeoutMs, idleTimeoutMillis: idleTimeoutMs, testOnBorrow },
  );
  return contender(
    name,
    () => pool.acquire(),
    (connection) => void pool.release(connection),
    async () => {
      await pool.drain();
      await pool.clear();
    },
  );
}

/**
 * Its connections log in to a real server, for it takes no others; after that no cycle touches the server. It has
 * no check at checkout, no timeout of the wait and no reset, and gets its promise from us: its own costs more.
 * `timeoutMs` bounds the wait as its users must do it themselves.
 */
export function mysql2(name: string, { server, app }: TestDatabase, timeoutMs?: number): Contender {
  const { host, port } = server;
  const pool = buildMysql2Pool({ host, port, ...app, connectionLimit: size });
  return contender<PoolConnection>(
    name,
    () =>
      new Promise((resolve, reject) => {
        const timer = timeoutMs && setTimeout(() => reject(new Error('overdue')), timeoutMs);
        pool.getConnection((error, connection) => {
          if (timer !== undefined) clearTimeout(timer);
          if (error) reject(error);
          else resolve(connection);
        });
      }),
    (connection) => connection.release(),
    () => new Promise((resolve) => pool.end(() => resolve())),
  );
}
