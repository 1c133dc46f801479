import { afterAll, vi } from 'vitest';

// Files that share a process leave each other nothing.
afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});
