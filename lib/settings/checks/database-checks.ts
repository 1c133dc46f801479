import * as z from 'zod';
import { line, problem } from '../problems.ts';
import { maxOpenBound, PoolSettings, SessionSettings } from '../settings.ts';
import { type Check, checkOf } from './check.ts';

const keepsNoMoreThanItsSize = checkOf(z.object({ pool: PoolSettings }), ({ pool }, path) =>
  pool.minIdle <= pool.size
    ? []
    : [problem([...path, 'pool', 'minIdle'], pool.minIdle, `at most size, which is ${pool.size}`)],
);

const transactionsLeaveAConnection = checkOf(
  z.object({ pool: PoolSettings.prefault({}), transactions: z.object({ maxOpen: z.int() }) }),
  ({ pool, transactions: { maxOpen } }, path) => {
    const bound = maxOpenBound(pool);
    const allowed = `at most size + maxOverflow - 1 (at least 1), which is ${bound}`;
    return maxOpen <= bound ? [] : [problem([...path, 'transactions', 'maxOpen'], maxOpen, allowed)];
  },
);

const iamNeedsVerifiedTls = checkOf(
  z.object({ credentials: z.object({ iam: z.object() }), tls: z.enum(['off', 'skip-verify']) }),
  ({ tls }, path) => [problem([...path, 'tls'], tls, 'verify or {ca, serverName?} with credentials.iam')],
);

/** A token is for one host, and there is no secret to name it. */
const iamNeedsAHost = checkOf(
  z.object({ credentials: z.object({ iam: z.object() }), host: z.undefined().optional() }),
  (_, path) => [line([...path, 'host'], 'nothing', 'the host, with credentials.iam')],
);

/**
 * With other values the broker would bind values wrongly, read results wrongly, mix up sessions, or show one caller the
 * statements of another.
 */
const BROKERS_OWN_VARIABLE =
  /^(sql_mode|time_zone|names|autocommit|sql_auto_is_null|completion_type|collation_connection|character_set_.*|session_track_.*|profiling.*|optimizer_trace.*|debug.*|pseudo_thread_id|insert_id|last_insert_id|identity|rand_seed\d|timestamp)$/;

const variablesAreNotTheBrokersOwn = checkOf(z.object({ session: SessionSettings }), ({ session }, path) =>
  Object.entries(session.variables)
    .filter(([name]) => BROKERS_OWN_VARIABLE.test(name))
    .map(([name, value]) =>
      problem(
        [...path, 'session', 'variables', name],
        value,
        'only variables that the broker does not manage',
      ),
    ),
);

/** Rules between the parts of one database. */
export const DATABASE_CHECKS: readonly Check[] = [
  keepsNoMoreThanItsSize,
  transactionsLeaveAConnection,
  iamNeedsVerifiedTls,
  iamNeedsAHost,
  variablesAreNotTheBrokersOwn,
];
