import { ManifestToolError, type ErrorCode } from '../errors.js';
import { Attempts } from '../attempts.js';
import { CredentialStoreFailure } from '../http/auth/credential.js';
import { connectionFailure } from '../http/errors.js';
import type { RetryPolicy } from '../http/retry.js';
import type { HttpRequest, HttpResponse, Scope, Transport } from '../http/request.js';
import { answerFailure } from './errors.js';

/** One registry as the verbs of the specification see it, accessed with the credential for one of its repositories. */
export interface Connection {
  /** `host[:port]` as users write it. */
  readonly host: string;
  readonly origin: string;
  /** Whether a URL is of this registry, and not of a host that it redirects to. */
  readonly isOwn: (url: URL) => boolean;
  readonly transport: Transport;
  /** Says that the command will need these scopes; the first said come first in a token request. */
  readonly expect: (scope: Scope) => void;
  readonly identity: () => string;
  /** The scheme of authentication that the registry has asked for; undefined where it has not asked. */
  readonly scheme: () => string | undefined;
  /**
   * Whether blobs of another repository can be mounted: one token must cover both, so both need the
   * same credential.
   */
  readonly canMountFrom: (repository: string) => Promise<boolean>;
  /** Runs a copy of a blob of so many bytes when there is room for it: each needs connections to read and to write. */
  readonly copying: <T>(size: number, copy: () => Promise<T>) => Promise<T>;
  /** Decides whether an operation that failed is repeated. */
  readonly retry: RetryPolicy;
}

/** One request of a verb. Paths hold only what was checked before: repository names, tags and digests. */
export interface Call extends Omit<HttpRequest, 'url'> {
  readonly path: string;
  /** What is being done, for messages. */
  readonly what: string;
}

/** Errors of the layers below (of token servers and redirects) that need to be told with what they stood in the way of. */
const WRAPPED: ReadonlySet<ErrorCode> = new Set(['DENIED', 'UNAVAILABLE', 'FAILED']);

/**
 * Sends a request of a verb.
 * @throws {ManifestToolError} if there is no answer; an answer with any status is returned.
 * @throws what the credential store throws, unchanged.
 */
export async function send(connection: Connection, call: Call): Promise<HttpResponse> {
  const { path, what, ...request } = call;
  try {
    return await connection.transport({
      // Made here, so that a request that is sent again with other credentials has no further attempts.
      attempts: new Attempts(),
      ...request,
      url: new URL(`${connection.origin}${path}`),
    });
  } catch (error) {
    if (error instanceof CredentialStoreFailure) throw error.thrown;
    if (error instanceof ManifestToolError && WRAPPED.has(error.code)) {
      throw new ManifestToolError(error.code, what, error.message, {
        cause: error,
        hint: error.hint,
        reason: error.reason,
        data: error.data,
      });
    }
    throw connectionFailure(what, connection.host, error);
  }
}

/** The error for an answer that is none of those that the verb knows; `failure` says what the answer means. */
export function unexpected(
  connection: Connection,
  what: string,
  response: HttpResponse,
  failure: typeof answerFailure = answerFailure,
): ManifestToolError {
  const isOwn = connection.isOwn(response.url);
  return failure(what, response, {
    host: isOwn ? connection.host : `${response.url.host}, where ${connection.host} redirects to,`,
    identity: isOwn ? connection.identity() : 'without credentials',
    isRedirected: !isOwn,
  });
}
