import * as z from 'zod';

/** What one operation of a client is. */
export const Workload = z.strictObject({
  kind: z.enum(['key', 'rows', 'insert', 'transaction', 'interactive', 'stream', 'long', 'slow']),
  /** Rows of `rows` and `stream`, bytes of the statement of `long`, milliseconds of `slow`. */
  size: z.int().default(1),
  /** Operations go to so many aliases in turn; with one of them it is `default`. */
  aliases: z.int().default(1),
});
export type Workload = z.infer<typeof Workload>;

/** The load that most parts put on: little work for the database, so that most of the cost is the subject's. */
export const BY_KEY: Workload = { kind: 'key', size: 1, aliases: 1 };

const clients = z.int().min(1);
const window = {
  /** Not counted, before `durationMs` begin. */
  warmUpMs: z.number(),
  durationMs: z.number(),
};

/** What a load process is told to do. */
export const Job = z.intersection(
  z.object({ url: z.string(), workload: Workload, clients }),
  z.discriminatedUnion('mode', [
    /** Each client asks again as soon as it has its answer. */
    z.object({ mode: z.literal('closed'), ...window }),
    /** Operations begin at a fixed rate, whether or not answers come; clients bound how many run at a time. */
    z.object({ mode: z.literal('open'), ratePerSecond: z.number(), ...window }),
    /** Each client connects and asks once, all at the same moment. */
    z.object({ mode: z.literal('burst') }),
  ]),
);
export type Job = z.infer<typeof Job>;

const Quantiles = z.object({
  p50: z.number(),
  p90: z.number(),
  p99: z.number(),
  p999: z.number(),
});
export type Quantiles = z.infer<typeof Quantiles>;

/** What came of it. */
export const Outcome = z.object({
  /** Succeeded, a second. */
  perSecond: z.number(),
  /** From the moment at which the operation was due to its last byte. */
  latencyMs: Quantiles,
  /** Failed operations by what the client saw. */
  failures: z.record(z.string(), z.number()),
  /** All that were answered, those of the warm-up too. */
  operations: z.number(),
  /** Share of one CPU that the load process itself took: near 1 it is what was measured. */
  ownCpuShare: z.number(),
});
export type Outcome = z.infer<typeof Outcome>;
