import { orAborted } from '../concurrency.js';
import { interruptedBy } from '../errors.js';
import type { ImageStore } from '../oci/content.js';

/**
 * A store whose operations end with INTERRUPTED once `signal` is aborted, for one that several calls
 * share and that has a signal of its own. An operation that has begun ends in the background.
 */
export function abortableStore(store: ImageStore, signal: AbortSignal): ImageStore {
  const named = store.manifestsNamed?.bind(store);
  const ended = async <T>(doing: string, begin: () => Promise<T>): Promise<T> => {
    const interrupt = interruptedBy(`${doing} ${store.name}`);
    if (signal.aborted) return interrupt(signal.reason);
    const operation = begin();
    return orAborted(operation, signal).catch((error: unknown) => {
      if (error === signal.reason) return interrupt(error);
      throw error;
    });
  };
  const reading = <T>(begin: () => Promise<T>): Promise<T> => ended('reading', begin);
  const writing = <T>(begin: () => Promise<T>): Promise<T> => ended('writing', begin);
  const open = (...args: Parameters<ImageStore['openBlob']>): Promise<AsyncIterable<Uint8Array>> =>
    reading(async () => abortable(await store.openBlob(...args), reading));
  return {
    name: store.name,
    isAtomic: store.isAtomic,
    getManifest: (...args) => reading(() => store.getManifest(...args)),
    ...(named && { manifestsNamed: (name) => reading(() => named(name)) }),
    getBlob: (...args) => reading(() => store.getBlob(...args)),
    openBlob: open as ImageStore['openBlob'],
    blobSize: (...args) => reading(() => store.blobSize(...args)),
    listTags: () => reading(() => store.listTags()),
    referrers: (...args) => reading(() => store.referrers(...args)),
    ensureBlob: (...args) => writing(() => store.ensureBlob(...args)),
    tagDigest: (...args) => reading(() => store.tagDigest(...args)),
    deleteTag: (...args) => writing(() => store.deleteTag(...args)),
    putChild: (...args) => writing(() => store.putChild(...args)),
    putReferrer: (...args) => writing(() => store.putReferrer(...args)),
    publish: (...args) => writing(() => store.publish(...args)),
    replaceTag: (...args) => writing(() => store.replaceTag(...args)),
  };
}

async function* abortable(
  content: AsyncIterable<Uint8Array>,
  reading: <T>(begin: () => Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks = content[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await reading(() => chunks.next());
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}
