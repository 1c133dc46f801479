import type { PoolOptions } from 'mysql2';

/** Connections that a subject may have: as many as the broker's defaults allow, 10 and 10 of overflow. */
export const CONNECTIONS = 20;

/** Where the database is and how the driver is to return values, the way that costs it least. */
export function driverOptions(): PoolOptions {
  const {
    DATABASE_HOST,
    DATABASE_PORT,
    DATABASE_NAME,
    DATABASE_USER,
    DATABASE_PASSWORD,
    DATABASE_CONNECTIONS,
  } = process.env;
  return {
    host: DATABASE_HOST ?? '127.0.0.1',
    port: Number(DATABASE_PORT),
    database: DATABASE_NAME ?? '',
    user: DATABASE_USER ?? '',
    password: DATABASE_PASSWORD ?? '',
    connectionLimit: Number(DATABASE_CONNECTIONS ?? CONNECTIONS),
    rowsAsArray: true,
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
  };
}
