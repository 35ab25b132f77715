import { ManifestToolError } from '../errors.js';
import type { OpenArchive } from '../archive/archive.js';
import type { ImageStore } from '../oci/content.js';
import { abortableStore } from './abortable-store.js';
import { ownSignal } from './own-signal.js';
import {
  checkReference,
  repositoryKey,
  type ArchiveReference,
  type Reference,
  type RegistryReference,
} from '../oci/reference.js';
import type { Access, CallContext, Registries } from '../registry/registries.js';
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
  /**
   * Aborted by the signal of {@link ClientOptions}, and by `close`; that of a call, by its own as
   * well.
   */
  readonly signal: AbortSignal;
  /**
   * The same object for a client and all its calls, which share the writes to one target.
   * @internal
   */
  readonly shared: object;
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
  return createRootClient(options);
}

/** A client from which calls with signals of their own can be derived. */
export interface RootClient extends Client {
  /**
   * The client as one call uses it: with the connections, the tokens and the archives of this one,
   * and stores whose requests any of `signals` aborts as well. Its `close` ends the call alone.
   */
  forCall(signals: readonly AbortSignal[]): Client;
}

/** The same client as {@link createClient}, for a program that makes many calls. */
export function createRootClient(options: ClientOptions): RootClient {
  const shared = {};
  const { signal, abort } = ownSignal([options.signal]);
  const archives = new Map<string, Promise<OpenArchive>>();
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
  const openArchive = async (reference: ArchiveReference): Promise<OpenArchive> => {
    const archive = await import('../archive/archive.js');
    return archive.openArchive(reference, { signal, onWarning: options.onWarning });
  };
  const archiveFor = (reference: ArchiveReference): Promise<OpenArchive> => {
    const key = repositoryKey(reference);
    const archive = archives.get(key) ?? openArchive(reference);
    archives.set(key, archive);
    return archive;
  };
  const openStore = async (
    reference: Reference,
    access: Access,
    call: CallContext,
  ): Promise<ImageStore> => {
    if (reference.kind === 'registry')
      return (await registriesFor(reference)).open(reference, access, call);
    if (reference.kind === 'archive') {
      const { store } = await archiveFor(reference);
      return call.signal === signal ? store : abortableStore(store, call.signal);
    }
    const { openLayout } = await import('../layout/layout.js');
    return openLayout(reference.path, { signal: call.signal, onWarning: options.onWarning });
  };
  const refuseIfClosed = (): void => {
    if (closing === undefined) return;
    throw new ManifestToolError(
      'USAGE',
      'opening a repository or a layout',
      'the client is closed',
      {
        hint: 'close it only after everything started with it has ended',
      },
    );
  };
  const closeAll = async (): Promise<void> => {
    abort('the client was closed');
    // While it is loaded, early connections may be open already.
    const loaded = await registries?.catch(() => undefined);
    await loaded?.registries.close();
    await Promise.all([...archives.values()].map(async (archive) => (await archive).close()));
  };

  const clientWith = (call: CallContext, close: () => Promise<void>): Client => {
    const opened = new Map<string, Promise<ImageStore>>();
    return {
      async open(reference, access) {
        checkReference(reference);
        refuseIfClosed();
        const isRegistry = reference.kind === 'registry';
        const key = `${isRegistry ? access : 'local'} ${repositoryKey(reference)}`;
        const known = opened.get(key) ?? opened.get(key.replace(/^pull /, 'push '));
        if (known !== undefined) return known;
        const store = openStore(reference, access, call);
        opened.set(key, store);
        return store;
      },
      signal: call.signal,
      shared,
      async probe(reference, repositories) {
        checkReference(reference);
        refuseIfClosed();
        const { RawRepository } = await import('../registry/raw.js');
        const connection = (await registriesFor(reference)).connect(reference).forCall(call);
        return repositories.map((repository) => new RawRepository(connection.to(repository)));
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  };

  return {
    ...clientWith({ signal, scopes: new Map() }, () => (closing ??= closeAll())),
    forCall(given) {
      const own = ownSignal([signal, ...given]);
      return clientWith({ signal: own.signal, scopes: new Map() }, async () => own.detach());
    },
  };
}
