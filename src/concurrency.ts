/**
 * How many things are worked on at a time. Requests have limits of their own for each host; this is only to keep what a thousand images
 * need from being there all at once.
 */
const AT_A_TIME = 64;

/**
 * The results of `work` for each item, in their order; a bounded number of them is under way at any time, begun in their order.
 * @throws what `work` throws first; no more is begun then.
 */
export async function mapConcurrent<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) {
      if (hasFailed) return;
      try {
        results[index] = await work(item, index);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
  return results;
}
