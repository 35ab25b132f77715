import { formatTries } from '../../attempts.js';
import { now } from '../../clock.js';
import { ManifestToolError, type ErrorDetails } from '../../errors.js';
import type { Credential } from './credential.js';
import { connectionFailure } from '../errors.js';
import {
  DamagedBody,
  isSuccess,
  type HttpRequest,
  type HttpResponse,
  type Scope,
  type Transport,
} from '../request.js';
import { formatWait, isLongWait, isSecondaryLimit, WAIT_ADVICE } from '../retry-after.js';
import { isWebPage } from '../web-page.js';
import { formatScope, formatScopes } from './scopes.js';

const MAX_ANSWER_BYTES = 128 * 1024;
/** Servers and proxies cut off longer headers. */
const MAX_TOKEN_LENGTH = 16 * 1024;
const SERVER_HINT = 'if the registry is yours, check that the realm it names is a token server';
const CLIENT_ID = 'manifest-tool';
const MIN_LIFETIME_S = 60;
/** A token is renewed this long before it expires, so that it does not expire in transit. */
const EARLY_S = 5;

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  readonly credential: Credential | undefined;
  /** The registry that the token is for, as references name it. */
  readonly host: string;
}

export interface Token {
  readonly value: string;
  /** When to request a new one, in milliseconds of the monotonic clock. */
  readonly renewAt: number;
}

/** A refusal by the token server; another request may get a token for fewer scopes. */
export class TokenRefused extends ManifestToolError {}

/**
 * Requests a token: GET, with Basic authentication for a password, or POST with
 * `grant_type=refresh_token` for an identity token, which goes nowhere else (Docker Registry v2
 * token authentication; OAuth2 token authentication).
 * @throws {ManifestToolError} DENIED if the server refuses ({@link TokenRefused}), UNAVAILABLE if
 * it cannot answer, FAILED if its answer has no usable token.
 */
export async function requestToken(transport: Transport, request: TokenRequest): Promise<Token> {
  const what = `getting a token from ${request.realm.origin}${request.realm.pathname}`;
  const call =
    request.credential?.kind === 'identity-token'
      ? refreshRequest(request, request.credential.token)
      : getRequest(request);
  const source = request.credential?.source;
  let response: HttpResponse;
  try {
    response = await transport(source === undefined ? call : { ...call, signedWith: source });
  } catch (error) {
    throw connectionFailure(what, request.realm.host, error);
  }
  if (!isSuccess(response.status)) throw refusal(what, request, response);
  if (isWebPage(response)) {
    const why = `${request.realm.host} returned a web page: it is not a token server`;
    throw new ManifestToolError('UNAVAILABLE', what, why, { hint: SERVER_HINT });
  }
  return readToken(what, response);
}

function getRequest({ realm, service, scopes, credential }: TokenRequest): HttpRequest {
  const query = [
    ...(service === undefined ? [] : [`service=${encodeURIComponent(service)}`]),
    ...scopes.map((scope) => `scope=${encodeURIComponent(formatScope(scope))}`),
  ].join('&');
  const url = new URL(realm);
  url.search = [url.search.slice(1), query].filter((part) => part !== '').join('&');
  const headers =
    credential?.kind === 'password'
      ? { authorization: basicAuthorization(credential.username, credential.password) }
      : {};
  return { method: 'GET', url, headers, maxBytes: MAX_ANSWER_BYTES, check: checkIsJson };
}

function refreshRequest(
  { realm, service, scopes }: TokenRequest,
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    ...(service === undefined ? {} : { service }),
    client_id: CLIENT_ID,
    scope: formatScopes(scopes),
    refresh_token: refreshToken,
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    maxBytes: MAX_ANSWER_BYTES,
    check: checkIsJson,
  };
}

/** The Authorization header for a user name and a password (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refusal(
  what: string,
  { credential, scopes, host }: TokenRequest,
  response: HttpResponse,
): ManifestToolError {
  const { status, attempts } = response;
  const says = `the token server returned status ${status}`;
  if (status === 408 || status === 429 || status >= 500 || isSecondaryLimit(response)) {
    const why = says + formatWait(response, Date.now()) + formatTries(attempts);
    const details: ErrorDetails = isLongWait(response, Date.now())
      ? { hint: WAIT_ADVICE, status }
      : { hint: 'try again later', reason: 'token-server-unavailable', status };
    return new ManifestToolError('UNAVAILABLE', what, why, details);
  }
  const identity =
    credential === undefined
      ? 'without credentials'
      : `with the credentials of ${credential.source}`;
  const asked = scopes.length === 0 ? '' : `; it was asked for ${formatScopes(scopes)}`;
  const why = `${says} ${identity}${asked}`;
  if (credential !== undefined)
    return new TokenRefused('DENIED', what, why, {
      status,
      hint: 'check that these credentials are valid, and that they allow this access',
    });
  return new TokenRefused('DENIED', what, why, {
    status,
    hint: 'log in to the registry',
    reason: 'token-denied',
    data: { host },
  });
}

function readToken(what: string, response: HttpResponse): Token {
  const answer = parseAnswer(response);
  const value = answer['access_token'] || answer['token'];
  const unusable = (why: string): ManifestToolError =>
    new ManifestToolError('FAILED', what, `the answer of the token server has ${why}`, {
      hint: SERVER_HINT,
    });
  if (typeof value !== 'string' || value === '') throw unusable('no token');
  if (value.length > MAX_TOKEN_LENGTH)
    throw unusable(
      `a token of ${value.length} characters, more than the ${MAX_TOKEN_LENGTH} that servers accept`,
    );
  if (!/^[\x21-\x7e]+$/.test(value)) throw unusable('a token that cannot be sent in a header');
  const lifetime = Number(answer['expires_in']);
  const seconds = Math.max(Number.isFinite(lifetime) ? lifetime : 0, MIN_LIFETIME_S);
  // Counted from now: the server's own clock (issued_at) is often wrong.
  return { value, renewAt: now() + (seconds - EARLY_S) * 1000 };
}

/** An answer that is neither JSON nor a page was damaged in transit; it is never printed. */
function checkIsJson(response: HttpResponse): void {
  if (tryParse(response.body) === undefined && !isWebPage(response)) {
    throw new DamagedBody('the answer of the token server is not JSON');
  }
}

function tryParse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch {
    return undefined;
  }
}

function parseAnswer(response: HttpResponse): Record<string, unknown> {
  const answer = tryParse(response.body);
  return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
}
