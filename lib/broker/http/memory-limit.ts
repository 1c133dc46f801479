import { getHeapStatistics } from 'node:v8';

/** What a broker takes without bodies and replies: its code, its connections, and the calls that have small ones. */
const BASE_BYTES = 64 * 1024 * 1024;
/** Of what is left. The rest is for the copies that parsing, binding and sending make for a moment, and for garbage. */
const SHARE = 1 / 2;

/**
 * The default of `server.maxBufferedBytes`: half of what the process may use beyond 64 MB. It may use the heap that
 * V8 allows it (`--max-old-space-size`, else V8's choice) or the memory of its container, whichever is the less.
 *
 * @param leastBytes What one call may need.
 */
export function defaultMaxBufferedBytes(leastBytes: number): number {
  const heapBytes = getHeapStatistics().heap_size_limit;
  // 0 or more than any machine has, where nothing bounds it.
  const containerBytes = process.constrainedMemory();
  const bytes = containerBytes > 0 ? Math.min(heapBytes, containerBytes) : heapBytes;
  return Math.max(leastBytes, Math.floor((bytes - BASE_BYTES) * SHARE));
}
