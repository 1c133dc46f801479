import type { Account } from '../../../infra/local/database/database-admin.ts';
import type { TestServer } from '../../support/database/own-database.ts';
import type { Outcome, Workload } from '../load/job.ts';

export type SubjectName = 'broker' | 'floor' | 'driver' | 'echo' | 'connectEach' | 'queuePool' | 'functions';

/** As tables and plots call them. */
export const TITLES: Readonly<Record<SubjectName, string>> = {
  broker: 'serverless-conn-pool',
  floor: 'Fastify + mysql2 pool, bare',
  driver: 'mysql2 pool, no HTTP',
  echo: 'node:http echo, no database',
  connectEach: 'a connection per request',
  queuePool: 'Django + SQLAlchemy QueuePool',
  functions: 'a connection per function',
};

/** A job, whoever is to do it. */
export type Load = { readonly clients: number; readonly workload: Workload } & (
  | { readonly mode: 'closed'; readonly warmUpMs: number; readonly durationMs: number }
  | {
      readonly mode: 'open';
      readonly warmUpMs: number;
      readonly durationMs: number;
      readonly ratePerSecond: number;
    }
  | { readonly mode: 'burst' }
);

/** Something that answers queries, running in processes of its own. */
export interface Subject {
  readonly name: SubjectName;
  /** Its account at the database, if it uses one. */
  readonly user: string | undefined;
  /** Of its main process; children of it belong to it. */
  readonly pid: number;
  /** Undefined: it can do everything. */
  readonly kinds: readonly Workload['kind'][] | undefined;
  run(load: Load): Promise<Outcome>;
  stop(): Promise<void>;
}

/** How the services are told where the database is. */
export function databaseEnvironment({ host, port }: TestServer, account: Account): NodeJS.ProcessEnv {
  return {
    DATABASE_HOST: host,
    DATABASE_PORT: String(port),
    DATABASE_NAME: account.database,
    DATABASE_USER: account.user,
    DATABASE_PASSWORD: account.password,
  };
}
