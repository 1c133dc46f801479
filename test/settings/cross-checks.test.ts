import { describe, expect, test } from 'vitest';
import { KEY, problemsWith } from './support/documents.ts';

describe('fields that contradict each other are refused', () => {
  test.each<[object, string]>([
    [{ pool: { minIdle: 11 } }, 'pool.minIdle: found 11, allowed at most size, which is 10'],
    [
      { session: { variables: { sql_mode: 'ANSI' } } },
      'session.variables.sql_mode: found "ANSI", allowed only variables that the broker does not manage',
    ],
    [
      { session: { variables: { character_set_client: 'x' } } },
      'session.variables.character_set_client: found "x", allowed only variables that the broker does not manage',
    ],
  ])('%j', (database, line) => {
    expect(problemsWith(database)).toEqual([`databases.default.${line}`]);
  });

  test('more open transactions than connections, but one', () => {
    expect(problemsWith({ pool: { size: 2, maxOverflow: 2 }, transactions: { maxOpen: 4 } })).toContain(
      'databases.default.transactions.maxOpen: found 4, allowed at most size + maxOverflow - 1 (at least 1), which is 3',
    );
  });

  test('IAM authentication without verified TLS', () => {
    expect(problemsWith({ credentials: { iam: { username: 'app' } }, tls: 'off' })).toContain(
      'databases.default.tls: found "off", allowed verify or {ca, serverName?} with credentials.iam',
    );
  });

  test('IAM authentication without a host', () => {
    expect(problemsWith({ credentials: { iam: { username: 'app' } } })).toEqual([
      'databases.default.host: found nothing, allowed the host, with credentials.iam',
    ]);
  });

  test('a drain that would cut off the longest query', () => {
    expect(problemsWith({ limits: { queryTimeoutMs: 60_000 } })).toEqual([
      'server.drainTimeoutMs: found 35000, allowed at least drainDelayMs + the largest queryTimeoutMs, which is 63000',
    ]);
  });

  test('forced looks at a secret that are rarer than the usual ones', () => {
    expect(problemsWith({}, { secrets: { refreshIntervalMs: 500 } })).toEqual([
      'secrets.minRefreshIntervalMs: found 1000, allowed at most refreshIntervalMs, which is 500',
    ]);
  });
});

describe('callers', () => {
  const caller = { keySha256: KEY, databases: ['default'], access: 'read' };

  test.each<[object, string]>([
    [{}, 'callers: found none, allowed at least one caller, or allowAnonymous: true'],
    [
      { a: { ...caller, keySha256: undefined } },
      'callers.a: found neither, allowed exactly one of keySha256, keySecret',
    ],
    [
      { a: { ...caller, keySecret: 'x' } },
      'callers.a: found both, allowed exactly one of keySha256, keySecret',
    ],
    [
      { a: { ...caller, keySha256: 'abc' } },
      'callers.a.keySha256: found a string, allowed a SHA-256 as 64 hexadecimal digits',
    ],
    [
      { a: { ...caller, databases: ['other'] } },
      'callers.a.databases.0: found "other", allowed * or a known alias: default',
    ],
    [
      { a: { ...caller, databases: [] } },
      'callers.a.databases: found an empty list, allowed at least one alias, or *',
    ],
    [{ a: { ...caller, access: 'root' } }, 'callers.a.access: found "root", allowed read, write, admin'],
    [
      { a: caller, b: { ...caller, keySha256: KEY.toUpperCase() } },
      'callers.b.keySha256: found the key of a, allowed a key of its own',
    ],
    [
      { a: { ...caller, acess: 'read' } },
      'callers.a.acess: found an unknown key, allowed access, databases, keySha256, keySecret',
    ],
  ])('%j are refused', (callers, line) => {
    expect(problemsWith({}, { callers })).toEqual([line]);
  });

  test('need not be configured where everybody may call', () => {
    expect(problemsWith({}, { callers: {}, allowAnonymous: true })).toEqual([]);
  });
});
