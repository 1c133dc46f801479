import { getHeapStatistics } from 'node:v8';

/** Memory of a broker without bodies and replies: code, connections, small calls. */
const BASE_BYTES = 64 * 1024 * 1024;
/** Fraction of the rest. Parsing, binding and sending make short-lived copies, and garbage needs room. */
const SHARE = 1 / 2;

/**
 * The default of `server.maxBufferedBytes`: half of the process's memory beyond 64 MB. Its memory is V8's heap limit
 * (`--max-old-space-size`, else V8's choice) or its container's, whichever is smaller.
 *
 * @param leastBytes Most bytes that one call may need.
 */
export function defaultMaxBufferedBytes(leastBytes: number): number {
  const heapBytes = getHeapStatistics().heap_size_limit;
  // 0, or more than any machine has, if there is no limit.
  const containerBytes = process.constrainedMemory();
  const bytes = containerBytes > 0 ? Math.min(heapBytes, containerBytes) : heapBytes;
  return Math.max(leastBytes, Math.floor((bytes - BASE_BYTES) * SHARE));
}
