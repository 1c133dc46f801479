import { type Behaviour, notTaken, proven } from './behaviour.ts';

const NO_DETACH = 'A connection outside the pool would be outside the cap.';
const GARBAGE = 'Python: there, the garbage collector gives back what was forgotten.';
const OTHER_POOL = 'There is one kind of pool.';

/** From the moment that a caller has its connection. */
export const CHECKIN_BEHAVIOURS: Readonly<Record<number, Behaviour>> = {
  // Invalidation.
  66: proven(
    'An unusable connection is closed at checkin; the next caller gets a fresh one.',
    'pool/checkin',
  ),
  67: proven('... without a reset.', 'pool/checkin'),
  68: notTaken(
    'Finalisers of a checkout are dropped on invalidate.',
    "A checkout carries no code of its holder's: what ends with it stands in the holder's own function (90).",
  ),
  69: proven('A borrower may finish with what was invalidated meanwhile.', 'pool/slots/retirement'),
  70: proven('Invalidating twice is invalidating once.', 'pool/slots/replacement'),
  71: proven('Everything can be invalidated at once.', 'pool/slots/retirement'),
  72: proven('A lost statement fails; the next one is served.', 'broker/statements/connection-fate'),
  73: proven(
    'Any other error leaves the connection in the pool.',
    'broker/statements/connection-fate',
    'mysql/connection/connection-ends',
  ),
  74: proven('A transaction whose connection was lost refuses to go on.', 'broker/transactions/transactions'),
  75: proven('A stopped statement costs at most its own connection.', 'broker/statements/connection-fate'),
  76: proven('A connection that is lost while rows stream serves nobody else.', 'broker/streams/streams'),
  77: proven('Which errors end a connection, by server flavour.', 'mysql/connection/connection-ends'),

  // Checkin and reset.
  78: proven('What a caller left open is rolled back.', 'broker/statements/sessions'),
  79: notTaken(
    'reset_on_return may be commit.',
    'Nobody wants half of a transaction committed by a failure.',
  ),
  80: proven(
    'Nothing is sent where a borrower left nothing; otherwise a reset is never off.',
    'pool/slots/used',
  ),
  81: proven('A reset that does not exist is refused at the start.', 'settings/pool-bounds'),
  82: notTaken(
    'The reset is left out after a transaction that ended in good order.',
    'A transaction may leave variables, tables and locks: only a reset takes those away.',
  ),
  83: proven('reset is told for what is reset, and not for what is closed.', 'pool/listeners'),
  84: proven('A failed reset costs the connection and tells nobody.', 'pool/checkin'),
  85: proven('Nobody gets a connection before its reset is done.', 'pool/checkin'),
  86: proven('The checkin event carries facts, and no connection.', 'pool/listeners'),
  87: proven('A listener that throws disturbs nobody.', 'pool/events'),
  88: proven('A second checkin is counted and harmless.', 'pool/checkin'),
  89: proven('Use after checkin is a typed error.', 'pool/checkin'),
  90: proven('use and using give back, whatever happens.', 'pool/checkin'),
  91: proven("Nobody sees another's session.", 'broker/statements/sessions'),
  92: proven('A goodbye that fails or hangs loses no slot.', 'pool/checkin'),
  93: proven('A healthy connection gets a goodbye, a suspect one is cut off.', 'pool/slots/replacement'),

  // Events.
  94: proven("Events have SQLAlchemy's names.", 'pool/events'),
  95: proven('They come in one order over a life.', 'pool/events'),
  96: proven('Listeners are told in the order in which they came.', 'pool/listeners'),
  97: proven('connect comes with each connection, checkout with each caller.', 'pool/events'),
  98: proven('A session is set before anybody has the connection.', 'broker/statements/sessions'),
  99: proven('Listeners stay when everything is replaced: see 108.', 'pool/listeners'),
  100: notTaken('Listeners of classes and engines.', 'Python: there are no such classes here.'),
  101: proven('close is told before the connection is closed.', 'pool/slots/replacement'),

  // What belongs to a connection.
  102: proven('The same connection object is given out as long as it lives.', 'pool/listeners'),
  103: proven(
    'What outlives a connection is kept for the pool: logins, and closes by reason.',
    'broker/observability/operations',
  ),
  104: notTaken('Data after detach.', 'There is no detach: see 105.'),
  105: notTaken('detach takes a connection out of the pool.', NO_DETACH),
  106: notTaken('Detached connections do not count.', NO_DETACH),
  107: notTaken('Closing a detached connection resets it.', NO_DETACH),

  // The end.
  108: proven(
    'What recreate does, reconnect does to the pool itself: no old connections, the same settings and listeners.',
    'pool/listeners',
  ),
  109: proven(
    'invalidate, as dispose does, closes idle connections and lets borrowers finish.',
    'pool/slots/retirement',
  ),
  110: proven('drain is final: no new checkouts, late ones are cut off.', 'pool/drain'),
  111: proven(
    'No invalidation or drain disturbs the counts or the cap.',
    'pool/counts',
    'pool/random/one-pool',
  ),
  112: proven('What is still borrowed counts while it is replaced.', 'pool/counts'),
  113: notTaken('A forked process forgets its connections.', 'Python: Node does not fork.'),

  // Leaks and garbage.
  114: notTaken('A forgotten checkout comes back.', GARBAGE),
  115: notTaken('A forgotten asynchronous checkout is cut off.', GARBAGE),
  116: notTaken('The queue may be entered again by the garbage collector.', GARBAGE),

  // Other pools.
  117: notTaken('NullPool.', OTHER_POOL),
  118: notTaken('StaticPool.', OTHER_POOL),
  119: notTaken('AssertionPool.', OTHER_POOL),
  120: notTaken('SingletonThreadPool.', 'Python: a connection for each thread.'),
  121: notTaken(
    'A handle checked out twice is checked in twice.',
    'Python: it belongs to SingletonThreadPool.',
  ),
  122: proven('What happens can be watched: as events, and as metrics.', 'broker/observability/operations'),
};
