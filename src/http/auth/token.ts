import { now } from '../../clock.js';
import { ManifestToolError } from '../../errors.js';
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
import { formatScope } from './scopes.js';

const MAX_TOKEN_ANSWER = 128 * 1024;
/** Servers and proxies cut a header that is longer. */
const MAX_TOKEN_LENGTH = 16 * 1024;
const SERVER_HINT = 'if the registry is yours, check that the realm it names is a token server';
const CLIENT_ID = 'manifest-tool';
const MIN_LIFETIME_S = 60;
/** A token is renewed this long before it ends, so that it does not end on its way. */
const EARLY_S = 5;

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  readonly credential: Credential | undefined;
}

export interface Token {
  readonly value: string;
  /** When to get a new one, in milliseconds of the monotonic clock. */
  readonly renewAt: number;
}

/** The token server said no; the registry layer may ask for less. */
export class TokenRefused extends ManifestToolError {
  constructor(
    readonly status: number,
    what: string,
    why: string,
    hint: string,
  ) {
    super('DENIED', what, why, { hint });
  }
}

/**
 * Asks a token server: GET with Basic for a password or for nobody, POST with `grant_type=refresh_token` for an identity token
 * (Docker Registry v2 token authentication; OAuth2 token authentication). An identity token goes nowhere else.
 * @throws {ManifestToolError} DENIED where the server refuses, UNAVAILABLE where it cannot answer, FAILED where there is no token in its answer.
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
  return { method: 'GET', url, headers, maxBytes: MAX_TOKEN_ANSWER, check: checkIsJson };
}

function refreshRequest(
  { realm, service, scopes }: TokenRequest,
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    ...(service === undefined ? {} : { service }),
    client_id: CLIENT_ID,
    scope: scopes.map(formatScope).join(' '),
    refresh_token: refreshToken,
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    maxBytes: MAX_TOKEN_ANSWER,
    check: checkIsJson,
  };
}

/** The value of an Authorization field for a user and a password (RFC 7617). */
export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refusal(
  what: string,
  { credential, scopes }: TokenRequest,
  { status, attempts = 1 }: HttpResponse,
): ManifestToolError {
  const says = `the token server answered with status ${status}`;
  if (status === 408 || status === 429 || status >= 500) {
    const tries = attempts > 1 ? ` (${attempts} tries)` : '';
    return new ManifestToolError('UNAVAILABLE', what, says + tries, {
      hint: 'try again later, or more often with --retry',
    });
  }
  const identity =
    credential === undefined
      ? 'without credentials'
      : `with the credentials of ${credential.source}`;
  const asked =
    scopes.length === 0 ? '' : `; it was asked for ${scopes.map(formatScope).join(' ')}`;
  return new TokenRefused(
    status,
    what,
    `${says} ${identity}${asked}`,
    credential === undefined
      ? 'log in to the registry (docker login) or give --username'
      : 'log in again, or correct these credentials',
  );
}

function readToken(what: string, response: HttpResponse): Token {
  const answer = parseAnswer(response);
  const value = answer['access_token'] || answer['token'];
  if (typeof value !== 'string' || value === '') {
    throw new ManifestToolError(
      'FAILED',
      what,
      'the answer of the token server has no token in it',
      { hint: SERVER_HINT },
    );
  }
  if (value.length > MAX_TOKEN_LENGTH) {
    const why = `the token in the answer of the token server has ${value.length} characters, more than servers and proxies take`;
    throw new ManifestToolError('FAILED', what, why, { hint: SERVER_HINT });
  }
  if (!/^[\x21-\x7e]+$/.test(value)) {
    throw new ManifestToolError(
      'FAILED',
      what,
      'the token in the answer of the token server cannot be sent',
      { hint: SERVER_HINT },
    );
  }
  const lifetime = Number(answer['expires_in']);
  const seconds = Math.max(Number.isFinite(lifetime) ? lifetime : 0, MIN_LIFETIME_S);
  // The server's own clock (issued_at) is not asked: it is often wrong.
  return { value, renewAt: now() + (seconds - EARLY_S) * 1000 };
}

/** An answer that is no JSON was cut or damaged on its way. It is never printed. */
function checkIsJson({ body }: HttpResponse): void {
  if (tryParse(body) === undefined) {
    throw new DamagedBody('the answer of the token server is no JSON');
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
