import { expect, test } from 'vitest';
import { parseSettings } from '../../lib/settings/parse-settings.ts';
import { SecretsSettings, ServerSettings } from '../../lib/settings/process-settings.ts';
import { LimitSettings, PoolSettings, SessionSettings } from '../../lib/settings/settings.ts';
import { fc } from '../support/random.ts';
import { problemsOf } from './support/problems-of.ts';

const some = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> =>
  fc.record(fields, { requiredKeys: [] });
const amount = fc.constantFrom(1, 2, 5, 500, 1_000, 30_000, 119_000, 400_000);

/** Each field of a section is there or not. */
const anyDocument = fc.record({
  pool: some({
    size: amount,
    maxOverflow: amount,
    checkoutTimeoutMs: amount,
    recycleAfterMs: amount,
    maxWaiting: amount,
    idleTimeoutMs: amount,
    minIdle: amount,
    prePingAfterIdleMs: amount,
  }),
  limits: some({ queryTimeoutMs: amount, maxRows: amount, maxResultBytes: amount, streamStallMs: amount }),
  session: some({ timeZone: fc.constant('+01:00') }),
  secrets: some({ refreshIntervalMs: amount, minRefreshIntervalMs: amount }),
  server: some({
    drainDelayMs: amount,
    drainTimeoutMs: amount,
    requestTimeoutMs: amount,
    accessLog: fc.constant('all'),
  }),
  servers: fc.option(fc.record({ 'db:3306': fc.record({ maxConnections: amount }) }), { nil: undefined }),
  maxOpen: fc.option(amount, { nil: undefined }),
});

test('to state a default changes nothing about what is wrong with a document', () => {
  fc.assert(
    fc.property(anyDocument, ({ pool, limits, session, secrets, server, servers, maxOpen }) => {
      const documentOf = (parts: object, stated: { secrets: object; server: object }) => ({
        ...stated,
        ...(servers === undefined ? {} : { servers }),
        databases: {
          default: {
            host: 'db',
            port: 3306,
            credentials: { username: 'app', password: 'app' },
            ...(maxOpen === undefined ? {} : { transactions: { maxOpen } }),
            ...parts,
          },
        },
        callers: { a: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'read' } },
      });
      const said = documentOf({ pool, limits, session }, { secrets, server });
      const spelledOut = documentOf(
        {
          pool: PoolSettings.parse(pool),
          limits: LimitSettings.parse(limits),
          session: SessionSettings.parse(session),
        },
        { secrets: SecretsSettings.parse(secrets), server: ServerSettings.parse(server) },
      );
      const problems = (document: object) => problemsOf(() => parseSettings(document));
      expect(problems(spelledOut)).toEqual(problems(said));
    }),
    { numRuns: 1_000 },
  );
});

test.each(['db:3306', 'db.internal:3306', '10.0.0.1:3306', 'a:1', '[::1]:3306'])(
  'a host that brings a port (%s) is refused, and the port named as a field of its own',
  (host) => {
    const document = {
      databases: { default: { host, credentials: { username: 'app', password: 'app' } } },
      callers: { a: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'read' } },
    };
    expect(problemsOf(() => parseSettings(document)).join('\n')).toContain('without a port');
  },
);

test.each(['db', 'db.internal', '10.0.0.1', '::1', 'fe80::1%eth0', '2001:db8::1', '::ffff:10.0.0.1'])(
  'the host %s is taken',
  (host) => {
    const document = {
      databases: { default: { host, credentials: { username: 'app', password: 'app' } } },
      callers: { a: { keySha256: 'a'.repeat(64), databases: ['*'], access: 'read' } },
    };
    expect(problemsOf(() => parseSettings(document))).toEqual([]);
  },
);
