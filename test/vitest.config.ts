import path from 'node:path';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { StartedFiles } from './support/vitest/started-files.ts';

/** Where CI wants the counts, as JSON. */
const countsFile = process.env.VITEST_COUNTS_FILE;

const CLIENT = 'client/**/*.test.ts';
const WITH_BROKER = 'client/with-broker.test.ts';
const BROKER = [WITH_BROKER, '{async,aws,broker,credentials,mysql,pool,settings}/**/*.test.ts'];

function project(name: string, test: TestProjectInlineConfiguration['test']): TestProjectInlineConfiguration {
  return {
    // As tsconfig.json has it: the examples import the package by its name.
    resolve: { alias: { 'serverless-conn-pool': path.resolve(import.meta.dirname, '../lib/index.ts') } },
    test: { name, root: import.meta.dirname, testTimeout: 30_000, hookTimeout: 120_000, ...test },
  };
}

/** Files that share a process and its modules: to start one and to load them takes most files longer than their tests. */
const shared = { isolate: false, setupFiles: './support/vitest/leave-nothing.ts' } as const;

export default defineConfig({
  test: {
    root: import.meta.dirname,
    globalSetup: ['./support/database/database-servers.ts', './support/packages/shared-packages.ts'],
    // A database server runs beside each. Files wait more than they compute: on two cores, three at a time are faster.
    maxWorkers: 3,
    projects: [
      project('broker', { ...shared, include: BROKER }),
      // Its zod/mini would speak as the broker's zod in the same process does.
      project('client', { ...shared, include: [CLIENT], exclude: [WITH_BROKER] }),
      // What loads the machine, whole processes and packaging: after the others, and fewer at a time.
      project('alone', {
        include: ['**/*.test.ts'],
        exclude: [CLIENT, ...BROKER],
        maxWorkers: 2,
        sequence: { groupOrder: 1 },
      }),
    ],
    reporters: [
      'default',
      ...(process.stdout.isTTY ? [] : [new StartedFiles()]),
      ...(countsFile === undefined ? [] : [['json', { outputFile: countsFile }] satisfies [string, object]]),
    ],
  },
});
