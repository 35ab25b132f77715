import { resolve } from 'node:path';
import type { ImageStore } from '../oci/content.js';
import type { Reference } from '../oci/reference.js';
import type { Access, RegistryOptions } from '../registry/connect.js';

/** Opens repositories and layouts; the same one is the same object each time. */
export interface Stores {
  open(reference: Reference, access: Access): Promise<ImageStore>;
  close(): Promise<void>;
  /** Ends all that waits. */
  readonly signal: AbortSignal;
}

/** Registries and layouts behind one door; each of the two kinds is loaded when it is first opened. */
export function openStores(options: RegistryOptions): Stores {
  const opened = new Map<string, Promise<ImageStore>>();
  let registries: Promise<{ registries: import('../registry/connect.js').Registries }> | undefined;

  const openRegistry = async (reference: Reference & { kind: 'registry' }, access: Access) => {
    registries ??= import('../registry/connect.js').then(({ Registries }) => ({
      registries: new Registries(options),
    }));
    return (await registries).registries.open(reference, access);
  };
  const openDirectory = async (path: string): Promise<ImageStore> =>
    (await import('../layout/layout.js')).openLayout(path);

  return {
    open(reference, access) {
      const key =
        reference.kind === 'layout'
          ? `layout ${resolve(reference.path)}`
          : `${access} ${reference.host}/${reference.repository}`;
      const known = opened.get(key) ?? opened.get(key.replace(/^pull /, 'push '));
      if (known !== undefined) return known;
      const store =
        reference.kind === 'layout'
          ? openDirectory(reference.path)
          : openRegistry(reference, access);
      opened.set(key, store);
      return store;
    },
    signal: options.signal,
    async close() {
      if (registries !== undefined) await (await registries).registries.close();
    },
  };
}
