import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { ImageStore } from '../oci/content.js';
import { checkReference, type Reference, type RegistryReference } from '../oci/reference.js';
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
   * @throws {ManifestToolError} USAGE where the reference is none that `parseReference` gives; CONFIG where a certificate or a proxy is of
   * no use.
   */
  open(reference: Reference, access: Access): Promise<ImageStore>;
  /** Closes all connections; requests that are under way fail. The same as leaving the scope of `await using`. */
  close(): Promise<void>;
  /** Aborted by the signal of {@link ClientOptions}. */
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
  const { signal, release } = ownSignal(options.signal);
  let registries: Promise<{ registries: Registries }> | undefined;

  const loadRegistries = async (host: string): Promise<{ registries: Registries }> => {
    const settings = registryOptions(options, signal);
    const { connectEarly } = await import('../registry/early.js');
    const early = await connectEarly(host, settings);
    const connect = await import('../registry/registries.js');
    options.onLoad?.();
    return { registries: new connect.Registries(settings, early) };
  };
  const registriesFor = async ({ host }: RegistryReference): Promise<Registries> => {
    registries ??= loadRegistries(host);
    return (await registries).registries;
  };
  const openRegistry = async (reference: RegistryReference, access: Access) =>
    (await registriesFor(reference)).open(reference, access);
  const openDirectory = async (path: string): Promise<ImageStore> =>
    (await import('../layout/layout.js')).openLayout(path, signal);
  const close = async (): Promise<void> => {
    release();
    if (registries !== undefined) await (await registries).registries.close();
  };

  return {
    async open(reference, access) {
      checkReference(reference);
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
    signal,
    async probe(reference, repositories) {
      checkReference(reference);
      const { RawRepository } = await import('../registry/raw.js');
      const connection = (await registriesFor(reference)).connect(reference);
      return repositories.map((repository) => new RawRepository(connection.to(repository)));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * A signal of our own, aborted with the one that is given: the reason is then always one that is known here, whatever the program has
 * aborted with, and every request may listen to it without a warning about the signal of the program.
 */
function ownSignal(given: AbortSignal | undefined): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const abort = (): void => {
    const reason = new Error('it was interrupted', { cause: given?.reason });
    reason.name = 'AbortError';
    controller.abort(reason);
  };
  setMaxListeners(0, controller.signal);
  if (given?.aborted === true) abort();
  given?.addEventListener('abort', abort);
  return {
    signal: controller.signal,
    release: () => given?.removeEventListener('abort', abort),
  };
}
