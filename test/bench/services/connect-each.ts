import { createConnection } from 'mysql2';
import { buildBareService, serve } from './bare-service.ts';
import { driverOptions } from './driver-options.ts';

// A connection for each request: what many functions do to a database, each on its own.

const { connectionLimit: _, ...options } = driverOptions();

const app = buildBareService(({ sql, params }, answered) => {
  const connection = createConnection(options);
  connection.on('error', () => undefined);
  connection.query(sql, params, (error, rows, fields) => {
    answered(error, rows, fields);
    if (error) connection.destroy();
    else connection.end();
  });
});

await serve(app);
