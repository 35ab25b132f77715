import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { ManifestToolError } from '../errors.js';
import type { OpenArchive } from '../archive/archive.js';
import type { ImageStore } from '../oci/content.js';
import {
  checkReference,
  formatName,
  type ArchiveReference,
  type LayoutReference,
  type Reference,
  type RegistryReference,
} from '../oci/reference.js';
import type { Access, Registries } from '../registry/registries.js';
import type { RawRepository } from '../registry/raw.js';
import { registryOptions, type ClientOptions } from './client-options.js';

/**
 * Opens repositories and layouts; the same one is the same object each time. Made by {@link createClient}: it holds the connections and the
 * tokens of a job.
 */
export interface Client extends AsyncDisposable {
  /**
   * Opens a repository or a layout, to read images or to write them. Nothing is sent yet; a registry is told at once what the token is
   * needed for (OCI distribution-spec, Authentication). Tag and digest of the reference play no part.
   * @throws {ManifestToolError} USAGE where the reference is none that `parseReference` gives; CONFIG if a certificate or a proxy
   * cannot be used; USAGE after `close`.
   */
  open(reference: Reference, access: Access): Promise<ImageStore>;
  /**
   * Aborts what is under way, and closes all connections. Nothing can be opened or sent afterwards: it fails with an error. The same as
   * leaving the scope of `await using`.
   */
  close(): Promise<void>;
  /** Aborted by the signal of {@link ClientOptions}, and by `close`. */
  readonly signal: AbortSignal;
  /**
   * Opens repositories of the registry of `reference`, with the credentials for that, for raw requests.
   * @internal
   */
  probe(reference: RegistryReference, repositories: readonly string[]): Promise<RawRepository[]>;
}

/**
 * Registries and layouts behind one door; each of the two kinds is loaded when it is first opened. Two of them share nothing.
 *
 * Nothing is taken from the process: without `env` no proxy is used and no variable is read, without `credentials` every registry is asked
 * anonymously.
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
        hint: 'close it when all that was begun with it has ended',
      },
    );
  };
  const closeAll = async (): Promise<void> => {
    abort('the client was closed');
    // One that is being loaded when the command fails has opened connections already.
    const loaded = await registries?.catch(() => undefined);
    await loaded?.registries.close();
    await Promise.all(archives.map((archive) => archive.close()));
  };
  const close = (): Promise<void> => (closing ??= closeAll());

  return {
    async open(reference, access) {
      checkReference(reference);
      refuseIfClosed();
      const key =
        reference.kind === 'registry'
          ? `${access} ${reference.host}/${reference.repository}`
          : `local ${formatName({ ...reference, path: resolve(reference.path) })}`;
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
 * A signal of the client's own, aborted with the one that is given or by `abort`: its reason is then always an error that this program
 * knows, and every request may listen to it without a warning about the signal of the caller.
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
