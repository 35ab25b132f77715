import { setMaxListeners } from 'node:events';

/**
 * A signal that is aborted by `abort`, or with one of the given ones until `detach` is called. Its
 * reason is always an `AbortError`, and any number of requests may listen to it without a warning
 * from Node. Not `AbortSignal.any`, which on Node 20 keeps each signal as long as its sources, and
 * loses an `AbortSignal.timeout` that nothing else refers to.
 */
export function ownSignal(given: readonly (AbortSignal | undefined)[]): {
  signal: AbortSignal;
  abort: (why: string) => void;
  detach: () => void;
} {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const sources = given.filter((source) => source !== undefined);
  const detach = (): void => {
    for (const source of sources) source.removeEventListener('abort', interrupt);
  };
  const abort = (why: string): void => {
    detach();
    const cause: unknown = sources.find((source) => source.aborted)?.reason;
    // `abort()` without a reason makes a DOMException, whose message says nothing.
    const isOwn =
      cause instanceof Error && cause.name === 'AbortError' && !(cause instanceof DOMException);
    const reason = new Error(isOwn ? cause.message : why, { cause });
    reason.name = 'AbortError';
    controller.abort(reason);
  };
  const interrupt = (): void => abort('it was interrupted');
  for (const source of sources) source.addEventListener('abort', interrupt);
  if (sources.some((source) => source.aborted)) interrupt();
  return { signal: controller.signal, abort, detach };
}
