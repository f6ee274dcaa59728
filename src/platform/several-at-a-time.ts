/**
 * Does something with each item, at most `limit` at a time, and gives the results in the order of the items. The first
 * failure ends the begun ones by their signal, waits for them to clean up, and is thrown.
 */
export async function severalAtATime<Item, Result>(
  items: readonly Item[],
  { limit, signal }: { limit: number; signal: AbortSignal },
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failing = new AbortController();
  const both = AbortSignal.any([signal, failing.signal]);
  const results: Result[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const goOn = async (): Promise<void> => {
    while (next < items.length && failure === undefined) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(items[index]!, both);
      } catch (error) {
        failure ??= { error };
        failing.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, goOn));
  signal.throwIfAborted();
  if (failure !== undefined) throw failure.error;
  return results;
}
