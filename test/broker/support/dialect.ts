import type { TestServer } from '../../support/database/own-database.ts';

/** An integer literal as the broker answers it: INT on MariaDB, BIGINT on MySQL. */
export function literal(server: TestServer, value: number): number | string {
  return server.flavour === 'mysql' ? String(value) : value;
}

/** MySQL's `transaction_isolation` or `transaction_read_only`, by the older name that MariaDB 10 knows alone. */
export function transactionVariable(server: TestServer, name: 'isolation' | 'read_only'): string {
  return server.flavour === 'mysql' ? `@@transaction_${name}` : `@@tx_${name}`;
}
