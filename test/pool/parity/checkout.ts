import { type Behaviour, notTaken, proven } from './behaviour.ts';

/** Until a caller has its connection. */
export const CHECKOUT_BEHAVIOURS: Readonly<Record<number, Behaviour>> = {
  // Building and sizing.
  1: proven('Building a pool opens nothing, and so does ending an unused one.', 'pool/sizing', 'pool/drain'),
  2: proven('Callers one after the other share one connection.', 'pool/sizing'),
  3: proven("The defaults are django-conn-pool's: 10, 10, 5 s, 119 s.", 'settings/pool-bounds'),
  4: proven(
    'Never more than size + maxOverflow, opening ones included.',
    'pool/sizing',
    'pool/random/one-pool',
  ),
  5: proven('Of those that come back, the first `size` are kept.', 'pool/sizing'),
  6: proven('An overflow without bound is refused: bounding is the purpose.', 'settings/pool-bounds'),
  7: proven('A size without bound is refused.', 'settings/pool-bounds'),
  8: proven('Without overflow the pool has a fixed size.', 'pool/counts'),
  9: proven('An overflow below -1 is refused at the start.', 'settings/pool-bounds'),
  10: proven('Nonsense sizes, time-outs and ages are refused at the start.', 'settings/pool-bounds'),
  11: proven('A time-out below a second is kept.', 'pool/time'),
  12: proven('A wait without end is refused.', 'settings/pool-bounds'),
  13: proven('The settings in force can be read.', 'broker/observability/operations'),

  // Counts.
  14: proven('size is what was configured.', 'pool/counts'),
  15: proven('idle counts only what is open.', 'pool/counts'),
  16: proven('overflow counts what is beyond the size, opening ones too; never negative.', 'pool/counts'),
  17: proven('checkedOut counts what borrowers have; opening ones have a count of their own.', 'pool/counts'),
  18: proven('The counts follow the golden sequence.', 'pool/sizing'),
  19: proven("The status line reads as SQLAlchemy's.", 'pool/counts'),
  20: notTaken('Other pool classes have other status texts.', 'There is one kind of pool.'),

  // Waiting.
  21: proven(
    'A caller in line is told POOL_TIMEOUT when its time is up, not earlier.',
    'pool/waiters/waiting',
  ),
  22: proven('The error names size, overflow, wait, line and the last connect failure.', 'pool/time'),
  23: proven('One absolute deadline, however often a caller is put off.', 'pool/waiters/waiting'),
  24: proven('Each connection that comes back serves one in line.', 'pool/waiters/waiting'),
  25: proven('Nobody in line is overtaken by a newcomer.', 'pool/waiters/waiting'),
  26: proven('A failed connect wakes the head of the line.', 'pool/waiters/waiting'),
  27: proven('One slow login keeps nobody else waiting.', 'pool/time', 'pool/connects/growth'),
  28: proven('Those in line survive an invalidation.', 'pool/slots/retirement'),
  29: proven('The end of the pool rejects those in line.', 'pool/drain'),
  30: proven('Whatever happens between two awaits breaks no promise.', 'pool/random/one-pool'),
  31: proven('A caller that leaves the line swallows no connection.', 'pool/waiters/waiting'),
  32: proven(
    'A caller takes what comes first: its login, or a connection that came back.',
    'pool/waiters/waiting',
  ),

  // Connects that fail.
  33: proven('A failed login gives its place back.', 'pool/sizing'),
  34: proven('So does a failed login that was to replace a connection.', 'pool/slots/replacement'),
  35: proven("Callers get the connector's own error.", 'pool/connects/connect-failure'),
  36: proven('Connects back off while they fail, whatever callers do.', 'pool/connects/connect-failure'),
  37: proven('A connection ages from the end of its login.', 'pool/slots/retirement'),
  38: proven(
    'A session that cannot be set is a failed login, tried again next time.',
    'broker/databases/failed-session',
  ),
  39: proven('... and its connection is closed.', 'broker/databases/failed-session'),
  40: proven('first_connect comes once in the life of a pool.', 'pool/events'),
  41: notTaken(
    'A connector may take the slot or nothing.',
    'Python introspection. Ours is called for each login.',
  ),
  42: proven('A recreated pool has the same state: see 108.', 'pool/listeners'),

  // The order of reuse.
  43: proven('fifo gives out what was used longest ago; lifo is the default.', 'pool/slots/validation'),
  44: proven('lifo gives out what was used last.', 'pool/slots/validation'),
  45: proven('lifo lets those that are not needed grow old and go.', 'pool/slots/idle'),
  46: proven('What is too old or idle too long is closed in the background.', 'pool/slots/idle'),

  // Checks before a connection is given out.
  47: proven('A connection beyond its age is replaced.', 'pool/slots/retirement'),
  48: proven('Never while it is borrowed.', 'pool/slots/retirement'),
  49: proven('An age that is off or at once is refused.', 'settings/pool-bounds'),
  50: proven('A close has one reason: lost, then invalidated, then too old.', 'pool/slots/replacement'),
  51: proven('A replacement takes the place of the old one, whose close may fail.', 'pool/slots/replacement'),
  52: proven('A fresh connection is not pinged.', 'pool/slots/validation'),
  53: proven('Others are, unless they were used within prePingAfterIdleMs.', 'pool/slots/validation'),
  54: proven('A caller sees nothing of a failed ping.', 'pool/slots/validation'),
  55: proven(
    'A failed ping retires the generation: idle ones now, busy ones later.',
    'pool/slots/validation',
  ),
  56: proven('One outage, one flush.', 'pool/slots/validation'),
  57: proven('Ages go by a monotonic clock, invalidations by a counter.', 'pool/time'),
  58: proven(
    'A ping error that is no disconnect ends its own connection, and no other; the caller gets another one.',
    'pool/slots/validation',
    'broker/databases/refused-ping',
  ),
  59: proven(
    'If the login after a failed ping fails too, the caller gets its error.',
    'pool/slots/replacement',
  ),
  60: proven('A ping has a time-out of its own.', 'pool/slots/validation'),
  61: proven('Replacements end at the deadline.', 'pool/time'),
  62: notTaken(
    'A checkout listener that throws fails the checkout.',
    'Observers are isolated from the pool (87). What may veto a connection is its own ping (54) and reset (84).',
  ),
  63: proven(
    'Without a ping, a borrower finds out; the next one gets a fresh connection.',
    'pool/slots/replacement',
  ),
  64: proven('What is invalidated on its way to a caller never gets there.', 'pool/slots/retirement'),
  65: proven(
    'Whoever brings the connector says which errors are disconnects; for MySQL it is the table of 77.',
    'pool/slots/validation',
  ),
};
