import { Attempts } from '../attempts.js';
import { ManifestToolError, type ErrorCode } from '../errors.js';
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

  /**
   * Announces a scope that will be needed, so that one token serves all requests; the first ones
   * come first in token requests.
   */
  expect(scope: Scope): void {
    this.parts.authenticator.expect(scope);
  }

  /**
   * Sends a request.
   * @returns the answer, whatever its status.
   * @throws {ManifestToolError} if there is no answer.
   * @throws what the credential store throws, unchanged.
   */
  async send({ path, origin, what, ...request }: Call): Promise<HttpResponse> {
    try {
      return await this.parts.transport({
        // Created here, so that a request that is sent again with another token shares them.
        attempts: new Attempts(),
        ...request,
        url: new URL(`${origin ?? this.parts.origin}${path}`),
      });
    } catch (error) {
      if (error instanceof CredentialStoreFailure) throw error.thrown;
      if (error instanceof ManifestToolError && WRAPPED.has(error.code)) {
        const { code, message, hint, reason, data } = error;
        throw new ManifestToolError(code, what, message, { cause: error, hint, reason, data });
      }
      throw connectionFailure(what, this.host, error);
    }
  }

  /** The error for an answer that the sender does not expect. */
  unexpected(what: string, response: HttpResponse, purpose?: Purpose): ManifestToolError {
    const isOwn = this.isOwn(response.url);
    return answerFailure(what, response, {
      host: isOwn ? this.host : `${response.url.host}, where ${this.host} redirects to,`,
      identity: isOwn ? this.identity() : 'without credentials',
      isRedirected: !isOwn,
      purpose,
    });
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
