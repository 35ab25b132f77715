import { now } from '../../clock.js';
import { parseChallenges, type Challenge } from './challenge.js';
import type { Credential } from './credential.js';
import { FirstRequest } from './first-request.js';
import type { HttpRequest, HttpResponse, Scope, Transport } from '../request.js';
import { checkedRealm } from './realm.js';
import { coversScopes, mergeScopes, parseScopes, formatScope } from './scopes.js';
import { basicAuthorization, requestToken, TokenRefused, type Token } from './token.js';

export interface AuthOptions {
  /** Whether a URL is of the registry itself: nothing else ever sees or asks for its credentials. */
  readonly isOwn: (url: URL) => boolean;
  /** The credential for this registry; asked once, when the registry first wants one. */
  readonly credential: () => Promise<Credential | undefined>;
  /** Looks the credential up before the first request, and not only when the registry asks. */
  readonly credentialFirst: boolean;
  /** Whether there seems to be a credential, so that the registry is likely to ask for one; without finding out which. */
  readonly expectsChallenge: () => Promise<boolean>;
  /** All that the command will need, the target of a push first: one token then serves every request. */
  readonly scopes: () => readonly Scope[];
  /** How to reach token servers: no authentication, no redirect to another host. */
  readonly tokenTransport: Transport;
  /** Told of each token, so that it is never shown. */
  readonly onSecret: (secret: string) => void;
}

/** Who the registry took us for, once it has asked. */
export interface Identity {
  describe(): string;
  /** The scheme by which the registry has asked for credentials (`basic`, `bearer`); undefined where it has not. */
  scheme(): string | undefined;
}

/**
 * Answers the challenges of one registry (RFC 9110, 11; Docker Registry v2 token authentication). Each request is renewed at most once:
 * a token may hold less than was asked for, and then a second 401 is the registry's last word.
 */
export class Authenticator implements Identity {
  private challenge: Challenge | undefined;
  private credential: Promise<Credential | undefined> | undefined;
  private known: Credential | undefined;
  /** Scopes that challenges named beyond those that were planned. */
  private extraScopes: Scope[] = [];
  private readonly tokens = new Map<string, HeldToken>();
  /** Values of Authorization that the registry has answered with 401. */
  private readonly rejected = new Set<string>();
  private readonly first: FirstRequest;

  constructor(private readonly options: AuthOptions) {
    this.first = new FirstRequest(options.expectsChallenge);
  }

  /** The layer that signs requests to the registry. */
  layer(next: Transport): Transport {
    return async (request) => {
      if (!this.options.isOwn(request.url)) return next(request);
      if (this.options.credentialFirst) await this.findCredential();
      let used = await this.authorization(request);
      const send = async (): Promise<HttpResponse> => {
        const answer = await next(this.signed(request, used));
        this.challenge = preferred(challengesOf(answer)) ?? this.challenge;
        return answer;
      };
      let response = this.challenge === undefined ? await this.first.send(send) : await send();
      if (response === undefined) {
        used = await this.authorization(request);
        response = await send();
      }
      if (!this.wantsAnother(response)) return response;
      const renewed = await this.answer(request, used);
      return renewed === undefined ? response : next(this.signed(request, renewed));
    };
  }

  describe(): string {
    if (this.challenge === undefined && this.known === undefined) return 'without credentials';
    const credential = this.known;
    if (credential === undefined) return 'anonymously';
    const name = credential.kind === 'password' ? `as ${credential.username} ` : '';
    return `${name}with the credentials of ${credential.source}`;
  }

  scheme(): string | undefined {
    return this.challenge?.scheme;
  }

  private signed(request: HttpRequest, authorization: string | undefined): HttpRequest {
    if (authorization === undefined) return request;
    return {
      ...request,
      headers: { ...request.headers, authorization },
      signedWith: this.known?.source ?? 'an anonymous token',
    };
  }

  /** ECR Public answers 400 without a challenge where a token has expired; all others answer 401. */
  private wantsAnother({ status, headers, body }: HttpResponse): boolean {
    if (status === 401) return true;
    if (status === 403) return wantsScope(headers.all('www-authenticate'));
    return (
      status === 400 &&
      this.challenge?.scheme === 'bearer' &&
      /\bexpired\b/i.test(Buffer.from(body).toString())
    );
  }

  private async answer(
    request: HttpRequest,
    used: string | undefined,
  ): Promise<string | undefined> {
    if (this.challenge === undefined) return undefined;
    this.known = await this.findCredential();
    this.grow(this.challenge, request);
    if (used !== undefined) this.rejected.add(used);
    const another = await this.authorization(request);
    return another === used ? undefined : another;
  }

  private grow(challenge: Challenge, request: HttpRequest): void {
    const asked = [
      ...(request.scopes ?? []),
      ...parseScopes(challenge.parameters.get('scope') ?? ''),
    ];
    const held = this.plannedScopes();
    if (!coversScopes(held, asked)) this.extraScopes.push(...asked);
  }

  private plannedScopes(): Scope[] {
    return mergeScopes([...this.options.scopes(), ...this.extraScopes]);
  }

  private findCredential(): Promise<Credential | undefined> {
    this.credential ??= this.options.credential();
    return this.credential;
  }

  private async authorization(request: HttpRequest): Promise<string | undefined> {
    if (this.challenge === undefined) return undefined;
    const credential = await this.findCredential();
    if (credential?.kind === 'registry-token') return `Bearer ${credential.token}`;
    if (this.challenge.scheme === 'basic') {
      if (credential?.kind !== 'password') return undefined;
      return basicAuthorization(credential.username, credential.password);
    }
    const planned = this.plannedScopes();
    try {
      return bearer(await this.token(request.url, planned, credential));
    } catch (error) {
      // Docker Hub refuses the whole request where one scope names a repository that is not there: ask for what this request needs alone.
      const needed = mergeScopes(request.scopes ?? []);
      if (!(error instanceof TokenRefused) || needed.length >= planned.length) throw error;
      return bearer(await this.token(request.url, needed, credential));
    }
  }

  private token(
    registry: URL,
    scopes: Scope[],
    credential: Credential | undefined,
  ): Promise<Token> {
    const { parameters } = this.challenge!;
    const key = scopes.map(formatScope).join(' ');
    const held = this.tokens.get(key);
    if (held !== undefined && !this.isSpent(held.settled)) return held.promise;
    const entry: HeldToken = {
      promise: requestToken(this.options.tokenTransport, {
        realm: checkedRealm(parameters.get('realm'), registry),
        service: parameters.get('service'),
        scopes,
        credential,
      }).then((token) => {
        this.options.onSecret(token.value);
        return (entry.settled = token);
      }),
    };
    this.tokens.set(key, entry);
    // What the server refuses it will refuse again; what it could not answer, the next request asks again.
    entry.promise.catch((error: unknown) => {
      if (!(error instanceof TokenRefused)) this.tokens.delete(key);
    });
    return entry.promise;
  }

  private isSpent(token: Token | undefined): boolean {
    if (token === undefined) return false;
    return now() >= token.renewAt || this.rejected.has(bearer(token));
  }
}

/** A token, or the request for it that all who need it wait for. */
interface HeldToken {
  readonly promise: Promise<Token>;
  settled?: Token;
}

function bearer(token: Token): string {
  return `Bearer ${token.value}`;
}

function challengesOf({ headers }: HttpResponse): readonly Challenge[] {
  return parseChallenges(headers.all('www-authenticate'));
}

function preferred(challenges: readonly Challenge[]): Challenge | undefined {
  return (
    challenges.find(({ scheme }) => scheme === 'bearer') ??
    challenges.find(({ scheme }) => scheme === 'basic')
  );
}

/** Whether a refusal is about what the token holds: then another one may hold more. */
function wantsScope(challenges: readonly string[]): boolean {
  return parseChallenges(challenges).some(
    ({ scheme, parameters }) =>
      scheme === 'bearer' && parameters.get('error') === 'insufficient_scope',
  );
}
