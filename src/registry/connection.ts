import { Attempts } from '../attempts.js';
import { orAborted } from '../concurrency.js';
import { detailsOf, ManifestToolError, type ErrorCode } from '../errors.js';
import type { Authenticator } from '../http/auth/authenticator.js';
import { CredentialStoreFailure } from '../http/auth/credential.js';
import { connectionFailure } from '../http/errors.js';
import type { HttpResponse, Scope, Transport } from '../http/request.js';
import type { RetryPolicy } from '../http/retry.js';
import { answerFailure, type Purpose } from './errors.js';
import type { Call, RepositoryName } from './requests.js';
import type { UploadLimiter } from './upload-limiter.js';

/** The parts of a {@link Connection}. */
export interface ConnectionParts {
  /** `host[:port]` of the registry, as in references. */
  readonly host: string;
  readonly repository: string;
  /** The repository whose credential is used. */
  readonly credentialOf: string;
  /** Where requests are sent. */
  readonly origin: string;
  /** Whether a URL is the registry's own, and not that of a host to which it redirects. */
  readonly isOwn: (url: URL) => boolean;
  readonly transport: Transport;
  readonly authenticator: Authenticator;
  readonly retry: RetryPolicy;
  readonly uploads: UploadLimiter;
  readonly call: CallContext;
}

/** What the requests of one call of a client share, in all registries. */
export interface CallContext {
  /** Aborts the requests of the call, and no others. */
  readonly signal: AbortSignal;
  /**
   * The scopes that the call needs, by registry (`host[:port]`); the first announced come first in
   * token requests.
   */
  readonly scopes: Map<string, Scope[]>;
}

/** Errors of token servers and redirects, whose messages do not name the request that failed. */
const WRAPPED: ReadonlySet<ErrorCode> = new Set(['DENIED', 'UNAVAILABLE', 'FAILED']);

/** Sends requests to one repository of a registry, with a credential. */
export class Connection implements RepositoryName {
  readonly host: string;
  readonly repository: string;
  readonly name: string;
  /** Decides whether an operation that has failed starts again. */
  readonly retry: RetryPolicy;
  readonly uploads: UploadLimiter;

  constructor(private readonly parts: ConnectionParts) {
    this.host = parts.host;
    this.repository = parts.repository;
    this.name = `${parts.host}/${parts.repository}`;
    this.retry = parts.retry;
    this.uploads = parts.uploads;
  }

  /** A connection to another repository of the registry, with the same credential. */
  to(repository: string): Connection {
    return new Connection({ ...this.parts, repository });
  }

  /** The same connection for the requests of one call. */
  forCall(call: CallContext): Connection {
    return new Connection({ ...this.parts, call });
  }

  /** Aborts its requests. */
  get signal(): AbortSignal {
    return this.parts.call.signal;
  }

  /** Announces a scope that the call will need, so that one token serves all its requests. */
  expect(scope: Scope): void {
    this.scopes().push(scope);
  }

  /** The scopes that the call needs at this registry; more may follow. */
  private scopes(): Scope[] {
    const { scopes } = this.parts.call;
    const known = scopes.get(this.host) ?? [];
    scopes.set(this.host, known);
    return known;
  }

  /**
   * Sends a request.
   * @returns the answer, whatever its status.
   * @throws {ManifestToolError} if there is no answer.
   * @throws what the credential store throws, unchanged.
   */
  async send({ path, origin, what, ...request }: Call): Promise<HttpResponse> {
    const { call, transport } = this.parts;
    const { signal } = call;
    try {
      const answer = transport({
        // Created here, so that a request that is sent again with another token shares them.
        attempts: new Attempts(),
        ...request,
        url: new URL(`${origin ?? this.parts.origin}${path}`),
        expected: this.scopes(),
        signal,
      });
      // What it waits for, such as a token, may be shared with other calls and is not aborted.
      return await orAborted(answer, signal);
    } catch (error) {
      if (error instanceof CredentialStoreFailure) throw error.thrown;
      if (error instanceof ManifestToolError && WRAPPED.has(error.code)) {
        const details = { ...detailsOf(error), cause: error, reference: this.name };
        throw new ManifestToolError(error.code, what, error.message, details);
      }
      throw this.about(connectionFailure(what, this.host, error));
    }
  }

  /** The error for an answer that the sender does not expect. */
  unexpected(what: string, response: HttpResponse, purpose?: Purpose): ManifestToolError {
    const isOwn = this.isOwn(response.url);
    return this.about(
      answerFailure(what, response, {
        host: isOwn ? this.host : `${response.url.host}, to which ${this.host} redirects,`,
        identity: isOwn ? this.identity() : 'without credentials',
        isRedirected: !isOwn,
        purpose,
      }),
    );
  }

  /** An error of an operation in the repository. */
  private about(error: ManifestToolError): ManifestToolError {
    const details = { ...detailsOf(error), cause: error.cause, reference: this.name };
    return new ManifestToolError(error.code, error.what, error.why, details);
  }

  /** Whether a URL is the registry's own, and not that of a host to which it redirects. */
  isOwn(url: URL): boolean {
    return this.parts.isOwn(url);
  }

  /** Whose requests the registry has answered: `as alice with the credentials of …`. */
  identity(): string {
    return this.parts.authenticator.describe(this.parts.credentialOf);
  }

  /** The authentication scheme that the registry has asked for; undefined if it has not. */
  scheme(): string | undefined {
    return this.parts.authenticator.scheme();
  }

  /**
   * Whether blobs of another repository may be mountable: one token has to cover both, so both need
   * the same credential.
   */
  async canMountFrom(source: Connection): Promise<boolean> {
    if (source.host !== this.host) return false;
    const { authenticator, credentialOf } = this.parts;
    return authenticator.sharesCredential(credentialOf, source.parts.credentialOf);
  }
}
