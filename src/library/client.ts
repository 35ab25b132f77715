import type { ClientOptions as CoreOptions } from '../core/client-options.js';
import { createRootClient, type RootClient } from '../core/client.js';
import { detailsOf, ManifestToolError } from '../errors.js';
import type { CredentialStore } from '../http/auth/credential.js';
import type { RequestRecord } from '../http/log.js';
import type { Wait } from '../http/retry.js';
import { formatReference, type Reference } from '../oci/reference.js';
import {
  callback,
  list,
  number,
  object,
  reference,
  string,
  variables,
  wrong,
  type Read,
  type Reader,
} from './arguments.js';
import type { Call, CallOptions } from './call.js';
import type { ContentDescriptor } from './data.js';
import { referenceOf } from './error-reference.js';
import { coreEvents, guarded, type CallEvents } from './events.js';
import { inspect, inspectOptions, type InspectOptions, type Inspection } from './inspect.js';
import * as read from './read.js';
import type {
  DiffOptions,
  DigestOptions,
  ImageDiff,
  ListTagsOptions,
  QueryResult,
  Verification,
  VerifyOptions,
} from './read.js';
import {
  checkRegistry,
  checkRegistryOptions,
  type CheckRegistryOptions,
  type RegistryReport,
} from './registry-check.js';
import { specOf, type SpecOf } from './specs.js';
import * as write from './write.js';
import type {
  AddRequest,
  AnnotateRequest,
  CopyRequest,
  CopyTagsRequest,
  EditResult,
  PublishResult,
  PushRequest,
  RemoveRequest,
  TagCopyOutcome,
  UntagOutcome,
  UntagRequest,
} from './write.js';

/**
 * The hosts that a setting applies to: all or none, those in a list, or those for which a function
 * returns true. A host is `host[:port]` as in a reference.
 */
export type HostRule = boolean | readonly string[] | ((host: string) => boolean);

/** What happens on the network, for all calls of a client. */
export interface ClientEvents {
  /** A response has arrived, or a request has failed. */
  readonly request?: (record: RequestRecord) => void;
  /** A request will be retried. */
  readonly wait?: (wait: Wait) => void;
  /** A registry has sent a warning, or a setting was ignored: remote text may be part of it. */
  readonly warning?: (text: string) => void;
  /** A registry or token server has issued a secret, which logs should redact. */
  readonly secret?: (secret: string) => void;
}

/** How registries are accessed. */
export interface ClientOptions {
  /** Finds credentials for registries; without it every registry is accessed anonymously. */
  readonly credentials?: CredentialStore;
  /**
   * Uses plain HTTP. By default only loopback hosts are accessed in plain HTTP, and only if they do
   * not speak TLS.
   */
  readonly plainHttp?: HostRule;
  /** Does not verify certificates; by default those of all hosts are verified. */
  readonly insecure?: HostRule;
  /**
   * Environment variables, usually `process.env`: HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE,
   * NODE_EXTRA_CA_CERTS, and HOME for `certs.d`. By default none is read.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file of additional trusted CA certificates in PEM. */
  readonly caFile?: string;
  /** A file with a client certificate in PEM, used with `keyFile`; only registries receive it. */
  readonly certFile?: string;
  /** A file with the private key of `certFile` in PEM. */
  readonly keyFile?: string;
  /** A directory with `*.crt`, `*.cert` and `*.key`, as podman's `--cert-dir`. */
  readonly certDir?: string;
  /**
   * Maximum time to wait for a response or more of it, in milliseconds; the default is 60,000. A
   * connection is given 10,000 at most.
   */
  readonly timeoutMs?: number;
  /**
   * Maximum number of concurrent requests to one registry; the default is 40, or 16 over TLS
   * without HTTP/2.
   */
  readonly concurrency?: number;
  /** How often a request is retried after a transient failure; the default is 4. */
  readonly retries?: number;
  /** Initial retry delay in milliseconds; doubles after each attempt. The default is 500. */
  readonly retryDelayMs?: number;
  /** Receives what happens on the network. */
  readonly events?: ClientEvents;
}

/**
 * Accesses registries, layouts and archives; created by {@link createClient}. All calls share
 * connections, tokens and credentials, and calls that write the same blob or manifest to the same
 * place at the same time share its upload. Everything is safe to call concurrently.
 *
 * Each call takes a `signal`, which aborts that call alone, and `events`. Results are plain data:
 * they survive `JSON.parse(JSON.stringify(result))`.
 *
 * A call throws a {@link ManifestToolError} if it fails, a `TypeError` for an argument of the wrong
 * type, and what the credential store throws, unchanged. A string that is not a reference, platform
 * or digest is a `ManifestToolError` USAGE, since such strings mostly come from users.
 */
export interface Client extends AsyncDisposable {
  /** Reads an image, index or artifact with everything that belongs to it. */
  inspect(reference: Reference | string, options?: InspectOptions): Promise<Inspection>;
  /**
   * Finds the platforms and entries of an image or index. An index whose entries all have a platform
   * takes one request.
   */
  query(reference: Reference | string, options?: CallOptions): Promise<QueryResult>;
  /**
   * Finds the digest of what a reference points to, or of the entry of its index for a platform, in
   * one request.
   */
  digestOf(reference: Reference | string, options?: DigestOptions): Promise<ContentDescriptor>;
  /**
   * Lists the tags of a repository, or the names of the images in a layout or an archive, in lexical
   * order.
   */
  listTags(repository: Reference | string, options?: ListTagsOptions): Promise<readonly string[]>;
  /**
   * Compares two images or indexes: platforms, digests, sizes and annotations, and the configs if
   * they are asked for. A single image is compared like an index of it.
   */
  diff(
    before: Reference | string,
    after: Reference | string,
    options?: DiffOptions,
  ): Promise<ImageDiff>;
  /**
   * Verifies that everything that an image or index refers to exists, and that it meets
   * requirements. What is missing or damaged is a defect in the result, not an error.
   */
  verify(reference: Reference | string, options?: VerifyOptions): Promise<Verification>;
  /**
   * Publishes an index of images. Blobs and images are written first, then all tags, so that a tag
   * never points to an index with missing images.
   */
  push(request: PushRequest): Promise<PublishResult>;
  /** Copies an image or an index with everything that it needs, byte for byte. */
  copy(request: CopyRequest): Promise<PublishResult>;
  /**
   * Copies tags of a repository, layout or archive. What is the same already is not written; a
   * failure at one tag does not affect the others.
   * @returns one outcome for each tag and target, in their order.
   */
  copyTags(request: CopyTagsRequest): Promise<readonly TagCopyOutcome[]>;
  /** Adds images to a published index; an image replaces the entry with its platform. */
  add(request: AddRequest): Promise<EditResult>;
  /** Removes entries, and what belongs to them alone, from a published index. */
  remove(request: RemoveRequest): Promise<EditResult>;
  /** Changes annotations or platforms of entries, or the annotations of the index itself. */
  annotate(request: AnnotateRequest): Promise<EditResult>;
  /**
   * Deletes tags, and never the manifests that they point to. A failure at one tag does not affect
   * the others.
   * @returns one outcome for each reference, in their order.
   */
  untag(request: UntagRequest): Promise<readonly UntagOutcome[]>;
  /** Describes a published index, or one image as an index of it, as a spec. */
  specOf(reference: Reference | string, options?: CallOptions): Promise<SpecOf>;
  /**
   * Checks what a registry supports, with images of its own, and deletes them afterwards. A refusal
   * by the registry is a result, not an error.
   */
  checkRegistry(
    repository: Reference | string,
    options?: CheckRegistryOptions,
  ): Promise<RegistryReport>;
  /**
   * Aborts all calls in progress and closes all connections; later calls fail with USAGE. Leaving
   * the scope of `await using` does the same.
   */
  close(): Promise<void>;
}

const hostRule: Reader<HostRule> = (value, name) => {
  if (typeof value === 'boolean' || typeof value === 'function') return value as HostRule;
  if (!Array.isArray(value)) throw wrong(name, 'a boolean, an array of hosts or a function', value);
  return list(string)(value, name);
};

const credentialStore: Reader<CredentialStore> = (value, name) => {
  const store = value as Partial<CredentialStore> | null | undefined;
  if (typeof store?.get !== 'function') throw wrong(name, 'an object with a method get', value);
  if (store.has !== undefined) callback(store.has, `${name}.has`);
  return store as CredentialStore;
};

const clientOptions = object({
  credentials: credentialStore,
  plainHttp: hostRule,
  insecure: hostRule,
  env: variables,
  caFile: string,
  certFile: string,
  keyFile: string,
  certDir: string,
  timeoutMs: number(1),
  concurrency: number(1),
  retries: number(0),
  retryDelayMs: number(0),
  events: object({
    request: callback,
    wait: callback,
    warning: callback,
    secret: callback,
  } satisfies Record<keyof ClientEvents, unknown>),
} satisfies Record<keyof ClientOptions, unknown>);

/**
 * Creates a client for registries, layouts and archives. Clients share nothing, and nothing is read
 * from the process: without `env` no proxy and no environment variable is used. Nothing is opened
 * before the first call.
 * @throws {TypeError} naming an option that is unknown, of the wrong type, or out of range.
 */
export function createClient(options: ClientOptions = {}): Client {
  const root = createRootClient(coreOptions(clientOptions(options, 'options')));
  const calls = new Calls(root);
  const close = (): Promise<void> => calls.close();
  return {
    inspect: (of, given = {}) =>
      calls.run(() => [reference(of, 'reference'), inspectOptions(given, 'options')], inspect),
    query: (of, given = {}) =>
      calls.run(() => [reference(of, 'reference'), read.callOptions(given, 'options')], read.query),
    digestOf: (of, given = {}) =>
      calls.run(
        () => [reference(of, 'reference'), read.digestOptions(given, 'options')],
        read.digestOf,
      ),
    listTags: (of, given = {}) =>
      calls.run(
        () => [reference(of, 'repository'), read.listTagsOptions(given, 'options')],
        read.listTags,
      ),
    diff: (before, after, given = {}) =>
      calls.run(
        () => [
          [reference(before, 'before'), reference(after, 'after')] as const,
          read.diffOptions(given, 'options'),
        ],
        (call, sides, checked) => read.diff(call, ...sides, checked),
      ),
    verify: (of, given = {}) =>
      calls.run(
        () => [reference(of, 'reference'), read.verifyOptions(given, 'options')],
        read.verify,
      ),
    push: (request) => calls.write(() => write.pushRequest(request, 'request'), write.push),
    copy: (request) => calls.write(() => write.copyRequest(request, 'request'), write.copy),
    copyTags: (request) =>
      calls.write(() => write.copyTagsRequest(request, 'request'), write.copyTags),
    add: (request) => calls.write(() => write.addRequest(request, 'request'), write.add),
    remove: (request) => calls.write(() => write.removeRequest(request, 'request'), write.remove),
    annotate: (request) =>
      calls.write(() => write.annotateRequest(request, 'request'), write.annotate),
    untag: (request) => calls.write(() => write.untagRequest(request, 'request'), write.untag),
    specOf: (of, given = {}) =>
      calls.run(() => [reference(of, 'reference'), read.callOptions(given, 'options')], specOf),
    checkRegistry: (of, given = {}) =>
      calls.run(
        () => [reference(of, 'repository'), checkRegistryOptions(given, 'options')],
        checkRegistry,
        { endsBySignal: false },
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function coreOptions({ events = {}, ...options }: Read<typeof clientOptions>): CoreOptions {
  const { request, wait, warning, secret } = events as ClientEvents;
  return {
    ...options,
    ...(request && { onRequest: guarded(request) }),
    ...(wait && { onWait: guarded(wait) }),
    ...(warning && { onWarning: guarded(warning) }),
    ...(secret && { onSecret: guarded(secret) }),
  };
}

/** What all calls have in common, once they are checked. */
interface CheckedOptions {
  readonly signal?: readonly AbortSignal[];
  readonly events?: CallEvents;
}

/** The references of a call that writes. */
interface WrittenReferences {
  readonly target?: Reference;
  readonly targets?: readonly Reference[];
  readonly alsoTo?: readonly { readonly target?: Reference }[];
  readonly source?: Reference;
  readonly sources?: readonly { readonly reference?: Reference }[];
  readonly references?: readonly Reference[];
}

/** All references of a request, the one that the call is about first. */
function referencesOf(request: WrittenReferences): Reference[] {
  const { target, targets = [], alsoTo = [], source, sources = [], references = [] } = request;
  return [
    target,
    source,
    ...alsoTo.map((each) => each.target),
    ...sources.map((each) => each.reference),
    ...targets,
    ...references,
  ].filter((each) => each !== undefined);
}

/** Runs the calls of a client. */
class Calls {
  private isClosed = false;

  constructor(private readonly root: RootClient) {}

  close(): Promise<void> {
    this.isClosed = true;
    return this.root.close();
  }

  /** A call that writes, which has one argument. */
  write<O extends CheckedOptions & WrittenReferences, T>(
    check: () => O,
    work: (call: Call, request: O) => Promise<T>,
  ): Promise<T> {
    return this.run(
      () => {
        const request = check();
        return [referencesOf(request), request];
      },
      (call, _, request) => work(call, request),
    );
  }

  /**
   * A call with the signal and the events of its options.
   * @param check returns what the call is about, and its options
   * @param how - `endsBySignal`: whether everything that the call does ends by its signal
   */
  async run<R extends Reference | readonly Reference[], O extends CheckedOptions, T>(
    check: () => readonly [about: R, options: O],
    work: (call: Call, about: R, options: O) => Promise<T>,
    { endsBySignal = true } = {},
  ): Promise<T> {
    const [about, options] = check();
    const { signal: signals = [], events = {} } = options;
    const names = (Array.isArray(about) ? about : [about]) as readonly Reference[];
    if (this.isClosed) throw closedError(names);
    const client = this.root.forCall(endsBySignal ? signals : []);
    try {
      for (const signal of signals) signal.throwIfAborted();
      return await work({ client, events: coreEvents(events) }, about, options);
    } catch (error) {
      throw callError(
        error,
        names,
        signals.find(({ aborted }) => aborted),
      );
    } finally {
      await client.close();
    }
  }
}

function closedError([about]: readonly Reference[]): ManifestToolError {
  const what = about === undefined ? 'a call' : `accessing ${formatReference(about)}`;
  return new ManifestToolError('USAGE', what, 'the client is closed', {
    hint: 'close it when all calls have ended, or create another client',
    ...(about && { reference: formatReference(about) }),
  });
}

/**
 * An error as a call throws it: with the reference that it is about, and after an abort with the
 * reason of the signal as its cause.
 */
function callError(
  error: unknown,
  names: readonly Reference[],
  aborted: AbortSignal | undefined,
): unknown {
  const [first] = names;
  if (aborted !== undefined && error === aborted.reason) {
    const what = first === undefined ? 'a call' : `accessing ${formatReference(first)}`;
    return new ManifestToolError('INTERRUPTED', what, 'it was interrupted', {
      cause: error,
      ...(first && { reference: formatReference(first) }),
    });
  }
  if (!(error instanceof ManifestToolError)) return error;
  const named = referenceOf(error, names);
  const cause: unknown =
    error.code === 'INTERRUPTED' && aborted !== undefined ? aborted.reason : error.cause;
  const { code, what, why } = error;
  const details = { ...detailsOf(error), reference: named };
  const thrown = new ManifestToolError(
    code,
    what,
    why,
    cause === undefined ? details : { ...details, cause },
  );
  if (error.stack !== undefined) thrown.stack = error.stack;
  return thrown;
}
