/** @throws the first failure of what has been waited for by `Promise.allSettled`. */
export function throwFirstFailure(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
