import { describe, expect, test } from 'vitest';
import { useDatabase } from '../../infra/local/database/local-database.ts';

describe('DATABASE_URL', () => {
  test('names host, port, account and database, each decoded', () => {
    expect(useDatabase('mysql://a%40b:p%2Fw%3A@db.example:3307/my%20shop')).toMatchObject({
      host: 'db.example',
      port: 3307,
      user: 'a@b',
      password: 'p/w:',
      database: 'my shop',
    });
  });

  test('means port 3306 when it has none, and an IPv6 host without its brackets', () => {
    expect(useDatabase('mysql://app@[::1]/shop')).toMatchObject({ host: '::1', port: 3306, password: '' });
  });

  test.each([
    'shop',
    'postgres://app:geheim@localhost/shop',
    'mysql://localhost/shop?geheim',
    'mysql://app:geheim@localhost',
    'mysql://app:geheim@localhost:port/shop',
    'mysql://app:geheim%@localhost/shop',
  ])('%j is refused, without repeating its password', (url) => {
    expect(() => useDatabase(url)).toThrow(/mysql:\/\/user:password@host:port\/database/);
    expect(() => useDatabase(url)).not.toThrow(/geheim/);
  });
});
