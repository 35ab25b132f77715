import { resolve } from 'node:path';
import type { ImageStore } from '../oci/content.js';
import type { Reference, RegistryReference } from '../oci/reference.js';
import type { Access, RegistryOptions } from '../registry/connect.js';
import type { Probe } from '../registry/probe.js';

/** Opens repositories and layouts; the same one is the same object each time. */
export interface Stores {
  open(reference: Reference, access: Access): Promise<ImageStore>;
  close(): Promise<void>;
  /** Ends all that waits. */
  readonly signal: AbortSignal;
}

/** Stores whose registries can be asked for more than images. */
export interface ProbingStores extends Stores {
  /** Opens repositories of the registry of `reference`, with the credentials for that, for raw requests. */
  probe(reference: RegistryReference, repositories: readonly string[]): Promise<Probe[]>;
}

/** Registries and layouts behind one door; each of the two kinds is loaded when it is first opened. */
export function openStores(options: RegistryOptions): ProbingStores {
  const opened = new Map<string, Promise<ImageStore>>();
  let registries: Promise<{ registries: import('../registry/connect.js').Registries }> | undefined;

  const loadRegistries = async () => {
    registries ??= import('../registry/connect.js').then(({ Registries }) => ({
      registries: new Registries(options),
    }));
    return (await registries).registries;
  };
  const openRegistry = async (reference: RegistryReference, access: Access) =>
    (await loadRegistries()).open(reference, access);
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
    async probe(reference, repositories) {
      const { Probe } = await import('../registry/probe.js');
      const connection = (await loadRegistries()).connect(reference);
      return repositories.map((repository) => new Probe(connection, repository));
    },
    async close() {
      if (registries !== undefined) await (await registries).registries.close();
    },
  };
}
