import { type Connection, createConnection } from 'mysql2/promise';
import { driverOptions } from '../services/driver-options.ts';
import { anyKey, SELECT_BY_KEY } from '../statements.ts';
import { serveJobs } from './serve-jobs.ts';

// Functions without anything between them and the database: each opens a connection and keeps it while it is warm.

const { connectionLimit: _, ...options } = driverOptions();

serveJobs(() => {
  let connection: Connection | undefined;
  const open = async () => {
    connection ??= await createConnection(options);
    return connection;
  };
  return {
    open: async () => {
      await open();
    },
    operate: async () => {
      await (await open()).query(SELECT_BY_KEY, [anyKey()]);
    },
    close: () => connection?.destroy(),
  };
});
