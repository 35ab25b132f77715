import { now } from '../../clock.js';
import { parseChallenges, type Challenge } from './challenge.js';
import {
  credentialKey,
  CredentialStoreFailure,
  type Credential,
  type CredentialStore,
} from './credential.js';
import type { HttpRequest, HttpResponse, Layer, Scope, Transport } from '../request.js';
import { checkedRealm } from './realm.js';
import { coversScopes, mergeScopes, parseScopes, formatScope } from './scopes.js';
import { basicAuthorization, requestToken, TokenRefused, type Token } from './token.js';

export interface AuthOptions {
  /** The registry as credential stores know it: `host[:port]` of references. */
  readonly host: string;
  /** Whether a URL belongs to the registry: no other server receives or demands its credentials. */
  readonly isOwn: (url: URL) => boolean;
  readonly credentials: CredentialStore;
  /** Looks credentials up before the first request instead of when the registry demands them. */
  readonly credentialsFirst: boolean;
  /** How to reach token servers: no authentication, no redirect to another host. */
  readonly tokenTransport: Transport;
  /** Called with each token, so that it is never shown. */
  readonly onSecret: (secret: string) => void;
}

/**
 * Answers the challenges of one registry (RFC 9110, 11; Docker Registry v2 token authentication).
 *
 * A request carries the credential that the store has for its repository. Repositories with the
 * same credential share tokens; the challenge is the registry's and is known to all. Each request
 * is renewed at most once: a token may grant less than was asked for, and a second 401 is final.
 */
export class Authenticator {
  private challenge: Challenge | undefined;
  /** The first request, while no challenge is known; settles when it has been answered. */
  private first: Promise<unknown> | undefined;
  /**
   * What the command will need, the target of a push first: one token then serves every request.
   */
  private readonly expected: Scope[] = [];
  private readonly repositories = new Map<string, RepositoryState>();
  private readonly identities = new Map<string, Identity>();

  constructor(private readonly options: AuthOptions) {}

  /**
   * Announces that the command will need a scope; the first announced come first in token requests.
   */
  expect(scope: Scope): void {
    this.expected.push(scope);
  }

  /** The layer that authenticates requests to one repository of the registry. */
  layer(repository: string): Layer {
    const state = this.state(repository);
    return async (request, next) => {
      if (!this.options.isOwn(request.url)) return next(request);
      if (this.options.credentialsFirst) await this.identityOf(state);
      let used = await this.authorization(state, request);
      const send = async (): Promise<HttpResponse> => {
        const answer = await next(signed(request, state, used));
        this.challenge = preferred(challengesOf(answer)) ?? this.challenge;
        return answer;
      };
      let response =
        this.challenge === undefined ? await this.sendFirst(state, send) : await send();
      if (response === undefined) {
        used = await this.authorization(state, request);
        response = await send();
      }
      if (!this.demandsAnother(response)) return response;
      const renewed = await this.answer(state, request, used);
      return renewed === undefined ? response : next(signed(request, state, renewed));
    };
  }

  /**
   * Whom the registry took requests to a repository to come from: `as alice with the credentials of
   * …`.
   */
  describe(repository: string): string {
    const { presented } = this.state(repository);
    if (presented === undefined)
      return this.challenge === undefined ? 'without credentials' : 'anonymously';
    const name = presented.kind === 'password' ? `as ${presented.username} ` : '';
    return `${name}with the credentials of ${presented.source}`;
  }

  /**
   * The scheme by which the registry demands authentication (`basic`, `bearer`); undefined if it
   * has not so far.
   */
  scheme(): string | undefined {
    return this.challenge?.scheme;
  }

  /**
   * Whether requests to two repositories are authenticated alike, so that one token can cover both.
   * Looks no credential up as long as the registry demands none.
   */
  async sharesCredential(a: string, b: string): Promise<boolean> {
    if (a === b || this.challenge === undefined) return true;
    const identity = await this.knownIdentityOf(this.state(a));
    return identity !== undefined && identity === (await this.knownIdentityOf(this.state(b)));
  }

  private state(repository: string): RepositoryState {
    const known = this.repositories.get(repository) ?? { repository };
    this.repositories.set(repository, known);
    return known;
  }

  /**
   * Lets the first of many requests go alone if the registry is expected to demand authentication:
   * it then refuses one request, and not each of a burst. This takes no longer, since all of them
   * would be sent again. Undefined if another request went first, and has been answered by now.
   */
  private async sendFirst(
    state: RepositoryState,
    send: () => Promise<HttpResponse>,
  ): Promise<HttpResponse | undefined> {
    const { credentials, host } = this.options;
    state.expectsChallenge ??= unchanged(async () => credentials.has?.(host, state.repository));
    if ((await state.expectsChallenge) !== true) return send();
    if (this.first !== undefined) {
      await this.first;
      return undefined;
    }
    const sent = send();
    this.first = sent.catch(() => undefined);
    return sent;
  }

  /** ECR Public answers 400 without a challenge if a token has expired; all others answer 401. */
  private demandsAnother({ status, headers, body }: HttpResponse): boolean {
    if (status === 401) return true;
    if (status === 403) return demandsScope(headers.all('www-authenticate'));
    return (
      status === 400 &&
      this.challenge?.scheme === 'bearer' &&
      /\bexpired\b/i.test(Buffer.from(body).toString())
    );
  }

  /** The authorization to try after a refusal; undefined if there is no other than `used`. */
  private async answer(
    state: RepositoryState,
    request: HttpRequest,
    used: string | undefined,
  ): Promise<string | undefined> {
    if (this.challenge === undefined) return undefined;
    const identity = await this.identityOf(state);
    const named = parseScopes(this.challenge.parameters.get('scope') ?? '');
    const needed = await this.grantable(identity, [...(request.scopes ?? []), ...named]);
    if (!coversScopes(await this.plannedScopes(identity), needed))
      identity.extraScopes.push(...needed);
    if (used !== undefined) identity.rejected.add(used);
    const another = await this.authorization(state, request);
    return another === used ? undefined : another;
  }

  private async authorization(
    state: RepositoryState,
    request: HttpRequest,
  ): Promise<string | undefined> {
    const { challenge } = this;
    if (challenge === undefined) return undefined;
    const identity = await this.identityOf(state);
    const credential = await state.credential;
    state.presented = credential;
    if (credential?.kind === 'registry-token') return `Bearer ${credential.token}`;
    if (challenge.scheme === 'basic') {
      if (credential?.kind !== 'password') return undefined;
      return basicAuthorization(credential.username, credential.password);
    }
    const planned = await this.plannedScopes(identity);
    try {
      return bearer(await this.token(identity, request.url, challenge, planned));
    } catch (error) {
      // Docker Hub refuses the whole request if one scope names a missing repository: ask for what
      // this request needs alone.
      const needed = await this.grantable(identity, request.scopes ?? []);
      if (!(error instanceof TokenRefused) || needed.length >= planned.length) throw error;
      return bearer(await this.token(identity, request.url, challenge, needed));
    }
  }

  private token(
    identity: Identity,
    registry: URL,
    { parameters }: Challenge,
    scopes: readonly Scope[],
  ): Promise<Token> {
    const [realm, service] = [parameters.get('realm'), parameters.get('service')];
    const key = [realm, service, ...scopes.map(formatScope)].join(' ');
    const held = identity.tokens.get(key);
    if (held !== undefined && !isSpent(identity, held.settled)) return held.promise;
    const entry: HeldToken = {
      promise: requestToken(this.options.tokenTransport, {
        realm: checkedRealm(realm, registry),
        service,
        scopes,
        credential: identity.credential,
      }).then((token) => {
        this.options.onSecret(token.value);
        return (entry.settled = token);
      }),
    };
    identity.tokens.set(key, entry);
    // A refusal is final; if the server could not answer, the next request asks again.
    entry.promise.catch((error: unknown) => {
      if (!(error instanceof TokenRefused)) identity.tokens.delete(key);
    });
    return entry.promise;
  }

  /** The scopes that a token of an identity is asked for. */
  private plannedScopes(identity: Identity): Promise<Scope[]> {
    return this.grantable(identity, [...this.expected, ...identity.extraScopes]);
  }

  /**
   * The scopes that are not of another identity. Those of repositories that the command does not
   * access stay: a challenge may know the repository by another name.
   */
  private async grantable(identity: Identity, scopes: readonly Scope[]): Promise<Scope[]> {
    const merged = mergeScopes(scopes);
    const areOwn = await Promise.all(
      merged.map(async ({ repository }) => {
        const state = this.repositories.get(repository);
        return state === undefined || (await this.knownIdentityOf(state)) === identity;
      }),
    );
    return merged.filter((_, index) => areOwn[index]);
  }

  /** Undefined if the credential store fails: the requests to the repository itself report why. */
  private knownIdentityOf(state: RepositoryState): Promise<Identity | undefined> {
    return this.identityOf(state).catch(() => undefined);
  }

  private async identityOf(state: RepositoryState): Promise<Identity> {
    const { credentials, host } = this.options;
    state.credential ??= unchanged(async () => credentials.get(host, state.repository));
    const credential = await state.credential;
    const key = credentialKey(credential);
    const identity = this.identities.get(key) ?? {
      credential,
      tokens: new Map(),
      rejected: new Set(),
      extraScopes: [],
    };
    this.identities.set(key, identity);
    return identity;
  }
}

/** What is known of one repository. */
interface RepositoryState {
  readonly repository: string;
  /** What the credential store has for it, once asked. */
  credential?: Promise<Credential | undefined>;
  /** The credential of the last request that was authenticated. */
  presented?: Credential | undefined;
  /** Whether the credential store seems to have something for it, once asked. */
  expectsChallenge?: Promise<boolean | undefined>;
}

/** What is held for all repositories with the same credential. */
interface Identity {
  readonly credential: Credential | undefined;
  /** By token server and scopes. */
  readonly tokens: Map<string, HeldToken>;
  /** Values of Authorization that the registry has answered with 401. */
  readonly rejected: Set<string>;
  /** Scopes that challenges named beyond the expected ones. */
  readonly extraScopes: Scope[];
}

/** A token, or the request for it that all who need it wait for. */
interface HeldToken {
  readonly promise: Promise<Token>;
  settled?: Token;
}

/** The answer of a credential store; what it throws passes the transport as it is. */
async function unchanged<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new CredentialStoreFailure(error);
  }
}

function signed(
  request: HttpRequest,
  { presented }: RepositoryState,
  authorization: string | undefined,
): HttpRequest {
  if (authorization === undefined) return request;
  return {
    ...request,
    headers: { ...request.headers, authorization },
    signedWith: presented?.source ?? 'an anonymous token',
  };
}

function isSpent({ rejected }: Identity, token: Token | undefined): boolean {
  if (token === undefined) return false;
  return now() >= token.renewAt || rejected.has(bearer(token));
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

/** Whether a refusal is about what the token grants: another one may grant more. */
function demandsScope(challenges: readonly string[]): boolean {
  return parseChallenges(challenges).some(
    ({ scheme, parameters }) =>
      scheme === 'bearer' && parameters.get('error') === 'insufficient_scope',
  );
}
