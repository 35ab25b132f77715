import { setMaxListeners } from 'node:events';
import { ManifestToolError } from '../errors.js';
import type { OpenArchive } from '../archive/archive.js';
import type { ImageStore } from '../oci/content.js';
import {
  checkReference,
  repositoryKey,
  type ArchiveReference,
  type LayoutReference,
  type Reference,
  type RegistryReference,
} from '../oci/reference.js';
import type { Access, Registries } from '../registry/registries.js';
import type { RawRepository } from '../registry/raw.js';
import { registryOptions, type ClientOptions } from './client-options.js';

/**
 * Opens repositories, layouts and archives, each as the same object every time; created by
 * {@link createClient}. It owns the connections and the tokens.
 */
export interface Client extends AsyncDisposable {
  /**
   * Opens a repository, a layout or an archive to read or write images. Nothing is sent yet;
   * `access` is the access that the token of a registry is requested for (OCI distribution-spec,
   * Authentication). The tag and the digest of the reference are ignored.
   * @throws {ManifestToolError} USAGE if `parseReference` would not return the reference; CONFIG if
   * a certificate or a proxy cannot be used; USAGE after `close`.
   */
  open(reference: Reference, access: Access): Promise<ImageStore>;
  /**
   * Aborts everything in progress and closes all connections; later calls fail. Leaving the scope
   * of `await using` does the same.
   */
  close(): Promise<void>;
  /** Aborted by the signal of {@link ClientOptions}, and by `close`. */
  readonly signal: AbortSignal;
  /**
   * Opens repositories of the registry of `reference` for raw requests, with its credentials.
   * @internal
   */
  probe(reference: RegistryReference, repositories: readonly string[]): Promise<RawRepository[]>;
}

/**
 * Creates a client for registries, layouts and archives. The code for each is loaded when one is
 * first opened. Clients share nothing.
 *
 * Nothing is read from the process: without `env` no proxy and no environment variable is used, and
 * without `credentials` every registry is accessed anonymously.
 */
export function createClient(options: ClientOptions = {}): Client {
  const opened = new Map<string, Promise<ImageStore>>();
  const { signal, abort } = ownSignal(options.signal);
  const archives: OpenArchive[] = [];
  let closing: Promise<void> | undefined;
  let registries: Promise<{ registries: Registries }> | undefined;

  const loadRegistries = async (host: string): Promise<{ registries: Registries }> => {
    const settings = registryOptions(options, signal);
    const { connectEarly } = await import('../registry/early.js');
    const early = await connectEarly(host, settings);
    try {
      const { Registries } = await import('../registry/registries.js');
      options.onLoad?.();
      return { registries: new Registries(settings, early) };
    } catch (error) {
      early?.destroy();
      throw error;
    }
  };
  const registriesFor = async ({ host }: RegistryReference): Promise<Registries> => {
    registries ??= loadRegistries(host);
    return (await registries).registries;
  };
  const openRegistry = async (reference: RegistryReference, access: Access) =>
    (await registriesFor(reference)).open(reference, access);
  const openLocal = async (reference: LayoutReference | ArchiveReference): Promise<ImageStore> => {
    const local = { signal, onWarning: options.onWarning };
    if (reference.kind === 'layout')
      return (await import('../layout/layout.js')).openLayout(reference.path, local);
    const { openArchive } = await import('../archive/archive.js');
    const archive = openArchive(reference, local);
    archives.push(archive);
    return archive.store;
  };
  const refuseIfClosed = (): void => {
    if (closing === undefined) return;
    throw new ManifestToolError(
      'USAGE',
      'opening a repository or a layout',
      'the client is closed',
      {
        hint: 'close it when everything that was started with it has ended',
      },
    );
  };
  const closeAll = async (): Promise<void> => {
    abort('the client was closed');
    // While it is loaded, early connections may be open already.
    const loaded = await registries?.catch(() => undefined);
    await loaded?.registries.close();
    await Promise.all(archives.map((archive) => archive.close()));
  };
  const close = (): Promise<void> => (closing ??= closeAll());

  return {
    async open(reference, access) {
      checkReference(reference);
      refuseIfClosed();
      const key = `${reference.kind === 'registry' ? access : 'local'} ${repositoryKey(reference)}`;
      const known = opened.get(key) ?? opened.get(key.replace(/^pull /, 'push '));
      if (known !== undefined) return known;
      const store =
        reference.kind === 'registry' ? openRegistry(reference, access) : openLocal(reference);
      opened.set(key, store);
      return store;
    },
    signal,
    async probe(reference, repositories) {
      checkReference(reference);
      refuseIfClosed();
      const { RawRepository } = await import('../registry/raw.js');
      const connection = (await registriesFor(reference)).connect(reference);
      return repositories.map((repository) => new RawRepository(connection.to(repository)));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * The client's own signal, aborted by `abort` or with the given one. Its reason is always an
 * `AbortError`, and any number of requests may listen to it without a warning from Node.
 */
function ownSignal(given: AbortSignal | undefined): {
  signal: AbortSignal;
  abort: (why: string) => void;
} {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const abort = (why: string): void => {
    given?.removeEventListener('abort', interrupt);
    const reason = new Error(why, { cause: given?.reason });
    reason.name = 'AbortError';
    controller.abort(reason);
  };
  const interrupt = (): void => abort('it was interrupted');
  if (given?.aborted === true) interrupt();
  else given?.addEventListener('abort', interrupt);
  return { signal: controller.signal, abort };
}
