import type { HttpRequest, HttpResponse, Scope } from '../request.js';
import { parseChallenges, type Challenge } from './challenge.js';
import { useOf, type Authorization, type Identity } from './identity.js';
import { parseScopes } from './scopes.js';

/* What an answer says about the authorization of its request. */

/** A request, what it was signed with, and its answer. */
export interface Exchange {
  readonly request: HttpRequest;
  readonly used: Authorization | undefined;
  readonly response: HttpResponse;
}

/** Whether a token has probably expired: it says so, or has served such a request before. */
export function isExpired(identity: Identity, { request, used, response }: Exchange): boolean {
  if (response.status === 400) return true;
  if (challengesOf(response).some(({ parameters }) => parameters.get('error') === 'invalid_token'))
    return true;
  const hasServed =
    used?.scopes !== undefined && identity.accepted.has(useOf(request, used.scopes));
  return response.status === 401 && hasServed;
}

export function isAllowed({ response: { status } }: Exchange): boolean {
  return status !== 401 && status !== 403;
}

/**
 * Whether a 403 without a challenge may be about a token that was asked for more than the request
 * needs, and does not cover all of it. A refused write of a manifest is about the tag.
 */
export function isOfManyScopes(
  { method, scopes = [] }: HttpRequest,
  used: Authorization | undefined,
): boolean {
  const isWrite = method === 'PUT' || method === 'PATCH' || method === 'DELETE';
  return !isWrite && scopes.length === 1 && (used?.scopes?.length ?? 0) > 1;
}

export function saysExpired({ body }: HttpResponse): boolean {
  return /\bexpired\b/i.test(Buffer.from(body).toString());
}

export function challengesOf({ headers }: HttpResponse): readonly Challenge[] {
  return parseChallenges(headers.all('www-authenticate'));
}

export function preferred(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}

/** The scopes that the challenge of an answer names. */
export function scopesNamed(answer: HttpResponse): Scope[] {
  return parseScopes(preferred(challengesOf(answer))?.parameters.get('scope') ?? '');
}

/** Whether a 403 is about what the token grants: another one may grant more. */
export function demandsScope(answer: HttpResponse): boolean {
  return challengesOf(answer).some(
    ({ scheme, parameters }) =>
      scheme === 'bearer' &&
      (parameters.get('error') === 'insufficient_scope' || parameters.has('scope')),
  );
}
