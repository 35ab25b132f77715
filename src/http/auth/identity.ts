import { now } from '../../clock.js';
import type { HttpRequest, Scope } from '../request.js';
import type { Credential } from './credential.js';
import { formatScopes } from './scopes.js';
import { basicAuthorization, type Token } from './token.js';

/** What is held for all repositories with the same credential. */
export interface Identity {
  readonly credential: Credential | undefined;
  /** By token server and scopes. */
  readonly tokens: Map<string, HeldToken>;
  /** Values of Authorization that the registry has answered with 401. */
  readonly rejected: Set<string>;
  /** Scopes that challenges named beyond the expected ones. */
  readonly extraScopes: Scope[];
  /** What to ask for alone, by the scopes of a request for which a token with more was refused. */
  readonly alone: Map<string, readonly Scope[]>;
  /** For which requests tokens were accepted, see {@link useOf}. */
  readonly accepted: Set<string>;
  /** For which requests new tokens were refused: no others are asked for. */
  readonly denied: Set<string>;
}

/** What a request is signed with. */
export interface Authorization {
  /** The header Authorization. */
  readonly value: string;
  /** What the token was asked for; undefined if it is not one of a token server. */
  readonly scopes?: readonly Scope[];
}

/** A token, or the request for it that all who need it wait for. */
export interface HeldToken {
  readonly promise: Promise<Token>;
  settled?: Token;
}

export function isSpent({ rejected }: Identity, token: Token | undefined): boolean {
  if (token === undefined) return false;
  return now() >= token.renewAt || rejected.has(bearer(token));
}

export function bearer(token: Token): string {
  return `Bearer ${token.value}`;
}

export function basicOf(credential: Credential | undefined): string | undefined {
  if (credential?.kind !== 'password') return undefined;
  return basicAuthorization(credential.username, credential.password);
}

/** A key for what a token with some scopes is used for. */
export function useOf({ scopes }: HttpRequest, asked: readonly Scope[]): string {
  return `${formatScopes(scopes)} by ${formatScopes(asked)}`;
}
