import { defineConfig } from 'vitest/config';

/** Where CI wants the counts, as JSON. */
const countsFile = process.env.VITEST_COUNTS_FILE;

export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    // A database server runs beside each.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    reporters: countsFile === undefined ? ['default'] : ['default', ['json', { outputFile: countsFile }]],
  },
});
