import path from 'node:path';
import { defineConfig } from 'vitest/config';
import { StartedFiles } from './support/started-files.ts';

/** Where CI wants the counts, as JSON. */
const countsFile = process.env.VITEST_COUNTS_FILE;

export default defineConfig({
  // As tsconfig.json has it: the examples import the package by its name.
  resolve: { alias: { 'serverless-conn-pool': path.resolve(import.meta.dirname, '../lib/index.ts') } },
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['./support/database/database-servers.ts', './support/packages/shared-packages.ts'],
    // A database server runs beside each.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: [
      'default',
      ...(process.stdout.isTTY ? [] : [new StartedFiles()]),
      ...(countsFile === undefined ? [] : [['json', { outputFile: countsFile }] satisfies [string, object]]),
    ],
  },
});
