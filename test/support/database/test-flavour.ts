import type { Flavour } from '../../../infra/local/database/debian-server.ts';

/**
 * Which database server the tests run on: the environment variable TEST_DATABASE, `mysql` or `mariadb`. Without it: what
 * this machine has, else MariaDB.
 */
export function testFlavour(): Flavour | undefined {
  const name = process.env.TEST_DATABASE;
  if (name === undefined || name === 'mysql' || name === 'mariadb') return name;
  throw new Error('TEST_DATABASE must be mysql or mariadb');
}
