import { describe, expect, test } from 'vitest';
import { endsConnection, type Flavour } from '../../../lib/mysql/errors.ts';

function serverError(errno: number): Error & { errno: number } {
  return Object.assign(new Error(`error ${errno}`), { errno });
}

describe('[77] a connection is of no more use', () => {
  test.each([1053, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1835, 1927, 3168, 3169])(
    'after error %i',
    (errno) => {
      expect(endsConnection(serverError(errno), 'mysql')).toBe(true);
      expect(endsConnection(serverError(errno), 'mariadb')).toBe(true);
    },
  );

  test.each<[Flavour, boolean]>([
    ['mysql', true],
    ['mariadb', false],
  ])('after 4031 of %s: %s, for MariaDB means something else by it', (flavour, ends) => {
    expect(endsConnection(serverError(4031), flavour)).toBe(ends);
  });

  test.each([
    ['a closed socket', { code: 'PROTOCOL_CONNECTION_LOST' }],
    ['a reset socket', { code: 'ECONNRESET', errno: -104 }],
    ['a command that came too late', {}],
  ])('after %s', (_, facts) => {
    expect(endsConnection(Object.assign(new Error('lost'), facts), 'mariadb')).toBe(true);
  });
});

test.each([1062, 1064, 1146, 1205, 1213, 1317, 1969, 3024])(
  '[73] error %i of a statement leaves the connection as good as it was',
  (errno) => {
    expect(endsConnection(serverError(errno), 'mysql')).toBe(false);
    expect(endsConnection(serverError(errno), 'mariadb')).toBe(false);
  },
);
