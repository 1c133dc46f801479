import type { Workload } from './load/job.ts';
import type { SubjectName } from './subjects/subject.ts';

/** One line of the comparison. */
interface Race {
  readonly workload: Workload;
  readonly clients: readonly number[];
  readonly subjects: readonly SubjectName[];
}

/** What is measured, and for how long. */
export interface Plan {
  readonly turns: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Unmeasured work of each subject before all else. */
  readonly runningInMs: number;
  readonly races: readonly Race[];
  /** Rates of the open loop, as shares of what the floor does with 64 clients. */
  readonly rateShares: readonly number[];
  readonly rateTurns: number;
  readonly burstTurns: number;
  readonly growthTurns: number;
  readonly growthMs: number;
  /** Also with what takes a broker of its own for each step. */
  readonly growsBrokers: boolean;
  readonly imports: number;
  readonly rotationTurns: number;
  /** Of each subject in each task. */
  readonly taskStarts: number;
  readonly taskTurns: number;
  /** Long enough for several periods of the quota. */
  readonly taskMs: number;
  /** At full load, with an eye on the memory. 0: not at all. */
  readonly soakMs: number;
}

const ALL: readonly SubjectName[] = ['broker', 'floor', 'driver', 'echo', 'connectEach', 'queuePool'];
/** gunicorn's threaded worker now and then loses a request among more keep-alive connections than it has threads. */
const WITHOUT_QUEUE_POOL = ALL.filter((name) => name !== 'queuePool');
const POOLED: readonly SubjectName[] = ['broker', 'floor', 'driver'];
const WITH_QUEUE_POOL: readonly SubjectName[] = [...POOLED, 'queuePool'];

const work = (kind: Workload['kind'], size = 1): Workload => ({ kind, size, aliases: 1 });

export const SHORT: Plan = {
  turns: 3,
  warmUpMs: 100,
  durationMs: 300,
  runningInMs: 500,
  races: [
    { workload: work('key'), clients: [1], subjects: POOLED },
    { workload: work('key'), clients: [64], subjects: ALL },
    { workload: work('key'), clients: [1_000], subjects: ['broker', 'floor'] },
    { workload: work('rows', 10_000), clients: [16], subjects: POOLED },
    { workload: work('transaction'), clients: [16], subjects: POOLED },
    { workload: work('stream', 10_000), clients: [4], subjects: ['broker', 'driver'] },
  ],
  rateShares: [0.5, 0.8],
  rateTurns: 1,
  burstTurns: 1,
  growthTurns: 1,
  growthMs: 300,
  growsBrokers: false,
  imports: 7,
  rotationTurns: 1,
  taskStarts: 1,
  taskTurns: 2,
  taskMs: 1_000,
  soakMs: 0,
};

export const FULL: Plan = {
  turns: 5,
  warmUpMs: 1_000,
  durationMs: 2_500,
  runningInMs: 5_000,
  races: [
    { workload: work('key'), clients: [1, 16, 64], subjects: ALL },
    { workload: work('key'), clients: [256, 1_000], subjects: WITHOUT_QUEUE_POOL },
    { workload: work('rows', 100), clients: [16, 64], subjects: WITH_QUEUE_POOL },
    { workload: work('rows', 10_000), clients: [16], subjects: WITH_QUEUE_POOL },
    { workload: work('insert'), clients: [1, 64, 1_000], subjects: WITH_QUEUE_POOL },
    { workload: work('transaction'), clients: [16, 64, 256], subjects: POOLED },
    // As many transactions as may be open at a time by default.
    { workload: work('interactive'), clients: [1, 10], subjects: POOLED },
    // As many streams as may be open at a time by default.
    { workload: work('stream', 10_000), clients: [1, 4], subjects: ['broker', 'driver'] },
  ],
  rateShares: [0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1],
  rateTurns: 5,
  burstTurns: 5,
  growthTurns: 3,
  growthMs: 2_000,
  growsBrokers: true,
  imports: 21,
  rotationTurns: 5,
  taskStarts: 3,
  taskTurns: 7,
  taskMs: 2_000,
  soakMs: 600_000,
};
