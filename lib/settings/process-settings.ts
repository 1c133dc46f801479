import type * as z from 'zod';
import { bytes, choice, integer, milliseconds, millisecondsOrNone, path, section } from './fields.ts';

// What concerns the broker's process, and no database.

export const ServerSettings = section({
  bodyLimitBytes: bytes.default(4_194_304),
  /** To receive a whole request. */
  requestTimeoutMs: milliseconds.default(30_000),
  maxConnections: integer(1).default(10_000),
  /**
   * Bytes of the bodies of waiting calls (four for each, for values and bound text) and of unsent replies, of all callers
   * together; more is 503. Default: half of the memory that the process may use beyond 64 MB.
   */
  maxBufferedBytes: bytes.optional(),
  /** How long new work is still served after SIGTERM, while `/readyz` says 503. */
  drainDelayMs: millisecondsOrNone.default(3_000),
  /** From SIGTERM to the exit. */
  drainTimeoutMs: milliseconds.default(35_000),
  /** Calls that leave a line in the log: those that failed, were slow or are an admin's, or all. */
  accessLog: choice('problems', 'all').default('problems'),
  /** Absent: plain HTTP. */
  tls: section({ cert: path, key: path }).optional(),
});
export type ServerSettings = z.infer<typeof ServerSettings>;

export const SecretsSettings = section({
  /** How often secrets are fetched again; jittered. */
  refreshIntervalMs: milliseconds.default(300_000),
  /** Least time between two fetches because of refused logins. */
  minRefreshIntervalMs: milliseconds.default(1_000),
});
export type SecretsSettings = z.infer<typeof SecretsSettings>;
