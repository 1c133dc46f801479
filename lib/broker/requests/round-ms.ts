/** To microseconds: what a clock says beyond that is noise. */
export function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}
