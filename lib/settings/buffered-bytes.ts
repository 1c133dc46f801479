import * as z from 'zod';
import { checkOf } from './checks/check.ts';
import { problem } from './problems.ts';
import { ServerSettings } from './process-settings.ts';
import { LimitSettings } from './settings.ts';

/**
 * Bytes that are counted for each byte of a request's body while its call waits and runs: for the parsed values and for
 * the bound text, at up to two bytes a character each.
 */
export const COST_OF_BODY_BYTE = 4;
/** The part of the budget that is kept for small bodies and replies. */
export const SHARE_FOR_SMALL = 1 / 8;

const Needs = z.object({
  server: ServerSettings.prefault({}),
  databases: z.record(z.string(), z.object({ limits: LimitSettings.prefault({}) })),
});

/** The least `maxBufferedBytes` that has room for the largest body and for the largest reply. */
export function leastBufferedBytes({ server, databases }: z.output<typeof Needs>): number {
  const replies = Object.values(databases).map(({ limits }) => limits.maxResultBytes);
  const largest = Math.max(COST_OF_BODY_BYTE * server.bodyLimitBytes, ...replies);
  return Math.ceil(largest / (1 - SHARE_FOR_SMALL));
}

export const everyCallFindsRoom = checkOf(Needs, (settings, path) => {
  const { maxBufferedBytes } = settings.server;
  const leastBytes = leastBufferedBytes(settings);
  if (maxBufferedBytes === undefined || maxBufferedBytes >= leastBytes) return [];
  const allowed = `at least 8/7 of the largest maxResultBytes and of 4 x bodyLimitBytes, which is ${leastBytes}`;
  return [problem([...path, 'server', 'maxBufferedBytes'], maxBufferedBytes, allowed)];
});
