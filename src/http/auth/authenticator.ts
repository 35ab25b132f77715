import { ManifestToolError } from '../../errors.js';
import type { Challenge } from './challenge.js';
import {
  credentialKey,
  CredentialStoreFailure,
  type Credential,
  type CredentialStore,
} from './credential.js';
import type { HttpRequest, HttpResponse, Layer, Scope, Transport } from '../request.js';
import {
  basicOf,
  bearer,
  isSpent,
  useOf,
  type Authorization,
  type HeldToken,
  type Identity,
} from './identity.js';
import { checkedRealm } from './realm.js';
import {
  challengesOf,
  demandsScope,
  isAllowed,
  isExpired,
  isOfManyScopes,
  preferred,
  saysExpired,
  scopesNamed,
  type Exchange,
} from './refusal.js';
import { coversScopes, formatScopes, mergeScopes, scopesOfPath } from './scopes.js';
import { requestToken, TokenRefused, type Token } from './token.js';

export interface AuthOptions {
  /** The registry as credential stores know it: `host[:port]` of references. */
  readonly host: string;
  /** Whether a URL belongs to the registry: no other server receives or demands its credentials. */
  readonly isOwn: (url: URL) => boolean;
  readonly credentials: CredentialStore;
  /** Looks credentials up before the first request instead of when the registry demands them. */
  readonly credentialsFirst: boolean;
  /**
   * Whether requests go without authorization if no token is to be had: the answer of a server that
   * the registry redirects to says more than that of its token server.
   */
  readonly isOptional?: boolean;
  /** How to reach token servers: no authentication, no redirect to another host. */
  readonly tokenTransport: Transport;
  /** Called with each token, so that it is never shown. */
  readonly onSecret: (secret: string) => void;
}

/**
 * Answers the challenges of one registry (RFC 9110, 11; Docker Registry v2 token authentication).
 *
 * A request carries the credential that the store has for its repository. Repositories with the
 * same credential share tokens; the challenge is the registry's and is known to all. A refused
 * request is sent again only with another authorization, see {@link Authenticator.settle}.
 */
export class Authenticator {
  private challenge: Challenge | undefined;
  /** Whether the challenge is sent at `/v2/` alone, so that 403 and 404 can be demands as well. */
  private isHiding = false;
  /** The request for a challenge at `/v2/`, once sent. */
  private version: Promise<void> | undefined;
  /** The first request, while no challenge is known; settles when it has been answered. */
  private first: Promise<unknown> | undefined;
  private readonly repositories = new Map<string, RepositoryState>();
  private readonly identities = new Map<string, Identity>();
  /** Anonymous access to the servers that the registry redirects to, by origin. */
  private readonly elsewhere = new Map<string, Authenticator>();

  constructor(private readonly options: AuthOptions) {}

  /** The layer that authenticates requests to one repository of the registry. */
  layer(repository: string): Layer {
    const state = this.state(repository);
    return async (request, next) => {
      if (!this.options.isOwn(request.url)) return this.sendElsewhere(request, next);
      if (this.options.credentialsFirst) await this.identityOf(state);
      const send = async (used: Authorization | undefined): Promise<HttpResponse> => {
        const answer = await next(signed(request, state, used));
        this.learn(answer);
        await this.findChallenge(state, request, answer, next);
        return answer;
      };
      let used = await this.authorization(state, request);
      let response =
        this.challenge === undefined
          ? await this.sendFirst(state, () => send(undefined))
          : await send(used);
      if (response === undefined) {
        used = await this.authorization(state, request);
        response = await send(used);
      }
      if (request.acceptsRefusal === true && used !== undefined) return response;
      return this.settle(state, { request, used, response }, send);
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
    if ((await this.expectsChallenge(state)) !== true) return send();
    if (this.first !== undefined) {
      await this.first;
      return undefined;
    }
    const sent = send();
    this.first = sent.catch(() => undefined);
    return sent;
  }

  private expectsChallenge(state: RepositoryState): Promise<boolean | undefined> {
    const { credentials, host } = this.options;
    return (state.expectsChallenge ??= unchanged(async () =>
      credentials.has?.(host, state.repository),
    ));
  }

  /**
   * Sends a request to a server that the registry redirects to: anonymously, with a token if that
   * server demands one, as another registry does.
   */
  private sendElsewhere(request: HttpRequest, next: Transport): Promise<HttpResponse> {
    const { origin } = request.url;
    const known =
      this.elsewhere.get(origin) ??
      new Authenticator({
        ...this.options,
        isOwn: (url) => url.origin === origin,
        credentials: ANONYMOUS,
        credentialsFirst: false,
        isOptional: true,
      });
    this.elsewhere.set(origin, known);
    // The call's scopes name repositories of this registry, which are none of the other's business.
    const scopes = scopesOfPath(request);
    return known.layer('')({ ...request, scopes, expected: scopes }, next);
  }

  /**
   * Keeps the challenge of an answer. Basic alone does not displace Bearer: one answer of a proxy or
   * of another node would send the password instead of tokens from then on.
   */
  private learn(answer: HttpResponse): void {
    const offered = preferred(challengesOf(answer));
    if (this.challenge?.scheme !== 'bearer' || offered?.scheme === 'bearer')
      this.challenge = offered ?? this.challenge;
  }

  /**
   * Asks for a challenge at `/v2/`, once: some registries send it nowhere else, and answer requests
   * to private repositories with 404, with 403, or with 401 but without a challenge.
   */
  private async findChallenge(
    state: RepositoryState,
    { url }: HttpRequest,
    { status }: HttpResponse,
    next: Transport,
  ): Promise<void> {
    if (this.challenge !== undefined || !/^\/v2\/./.test(url.pathname)) return;
    if (status !== 401 && status !== 403 && status !== 404) return;
    if (status !== 401 && !(await this.hasCredential(state))) return;
    this.version ??= this.askVersion(new URL('/v2/', url), next);
    await this.version;
  }

  private async askVersion(url: URL, next: Transport): Promise<void> {
    try {
      const answer = await next({ method: 'GET', url, maxBytes: 0, retries: 1 });
      if (this.challenge !== undefined) return;
      this.learn(answer);
      this.isHiding = this.challenge !== undefined;
    } catch {
      // The request that needs the challenge has an answer of its own.
    }
  }

  /** Whether there is a credential for a repository; a store that fails has none. */
  private async hasCredential(state: RepositoryState): Promise<boolean> {
    try {
      return (await this.expectsChallenge(state)) ?? hasValue(await this.identityOf(state));
    } catch {
      return false;
    }
  }

  /**
   * Returns the answer to a request; if the registry refuses its authorization, sends it again, in
   * this order and each once: with what the challenge demands, or a new token if the old one has
   * expired; with a token for the scope of the challenge alone, since some token servers handle only
   * one scope of a request; with the password if Basic is all that the registry offers. A refusal
   * after that is final: a token may grant less than was asked for.
   */
  private async settle(
    state: RepositoryState,
    first: Exchange,
    send: (used: Authorization | undefined) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    if (!this.isRefusal(first) || this.challenge === undefined) return this.accepted(state, first);
    const { request } = first;
    const identity = await this.identityOf(state);
    let last = first;
    const isSettledBy = async (used: Authorization): Promise<boolean> => {
      last = { request, used, response: await send(used) };
      return !this.isRefusal(last);
    };
    const offersBasicAlone = (): boolean =>
      preferred(challengesOf(last.response))?.scheme === 'basic';

    // A passing answer of something else than the registry.
    if (first.used?.scopes !== undefined && offersBasicAlone() && (await isSettledBy(first.used)))
      return this.accepted(state, last);

    let isNew = false;
    if (last.used?.scopes === undefined || isExpired(identity, last)) {
      if (last.used === undefined) await this.addScopes(identity, last);
      else identity.rejected.add(last.used.value);
      const another = await this.authorization(state, request);
      isNew = another !== undefined && another.value !== last.used?.value;
      if (isNew && (await isSettledBy(another!))) return this.accepted(state, last);
    }

    if (last.used?.scopes !== undefined) {
      const scopes = await this.scopesAlone(identity, last);
      const use = useOf(request, scopes);
      const isSame = formatScopes(scopes) === formatScopes(last.used.scopes);
      const isFinal = isSame && (isNew || identity.denied.has(use));
      if (isSame && !isFinal) identity.rejected.add(last.used.value);
      const alone = isFinal ? undefined : await this.tokenAlone(identity, request, scopes);
      const isOther = alone !== undefined && alone.value !== last.used.value;
      if (isOther && (await isSettledBy(alone))) {
        if (!isSame && isAllowed(last)) identity.alone.set(formatScopes(request.scopes), scopes);
        return this.accepted(state, last);
      }
      identity.denied.add(use);
    }

    const basic = basicOf(identity.credential);
    if (last.used?.scopes === undefined || basic === undefined || !offersBasicAlone())
      return last.response;
    const offered = challengesOf(last.response).find(({ scheme }) => scheme === 'basic');
    if (await isSettledBy({ value: basic })) this.challenge = offered;
    return last.response;
  }

  /** Whether an answer refuses the authorization of a request, so that another may help. */
  private isRefusal(exchange: Exchange): boolean {
    const { request, used, response } = exchange;
    const { status } = response;
    if (status === 401) return true;
    if (used === undefined && this.isHiding && (status === 403 || status === 404)) return true;
    if (status === 403) return demandsScope(response) || isOfManyScopes(request, used);
    // ECR Public answers 400 without a challenge if a token has expired; all others answer 401.
    return status === 400 && used?.scopes !== undefined && saysExpired(response);
  }

  /** Remembers that an authorization serves the scopes of a request. */
  private async accepted(state: RepositoryState, exchange: Exchange): Promise<HttpResponse> {
    const { request, used, response } = exchange;
    if (used?.scopes !== undefined && isAllowed(exchange))
      (await this.identityOf(state)).accepted.add(useOf(request, used.scopes));
    return response;
  }

  /** Adds what a first challenge names to the scopes of all tokens. */
  private async addScopes(identity: Identity, { request, response }: Exchange): Promise<void> {
    const needed = await this.grantable(identity, [
      ...(request.scopes ?? []),
      ...scopesNamed(response),
    ]);
    if (!coversScopes(await this.plannedScopes(identity, request), needed))
      identity.extraScopes.push(...needed);
  }

  /** The scopes that a challenge names, or else those of the request. */
  private async scopesAlone(
    identity: Identity,
    { request, used, response }: Exchange,
  ): Promise<readonly Scope[]> {
    const named = scopesNamed(response);
    const repositories = new Set(named.map(({ repository }) => repository));
    const own = (request.scopes ?? []).filter(
      ({ repository }) => repositories.size === 0 || repositories.has(repository),
    );
    const alone = await this.grantable(identity, [...named, ...own]);
    return alone.length === 0 ? (used?.scopes ?? []) : alone;
  }

  /** Undefined if the token server refuses: the registry's own refusal is what is reported. */
  private async tokenAlone(
    identity: Identity,
    { url }: HttpRequest,
    scopes: readonly Scope[],
  ): Promise<Authorization | undefined> {
    if (this.challenge?.scheme !== 'bearer') return undefined;
    try {
      return await this.bearer(identity, url, this.challenge, scopes);
    } catch (error) {
      if (error instanceof TokenRefused) return undefined;
      throw error;
    }
  }

  private async authorization(
    state: RepositoryState,
    request: HttpRequest,
  ): Promise<Authorization | undefined> {
    try {
      return await this.demanded(state, request);
    } catch (error) {
      const isDenied = error instanceof ManifestToolError && error.code === 'DENIED';
      if (isDenied && this.options.isOptional === true) return undefined;
      throw error;
    }
  }

  private async demanded(
    state: RepositoryState,
    request: HttpRequest,
  ): Promise<Authorization | undefined> {
    const { challenge } = this;
    if (challenge === undefined) return undefined;
    const identity = await this.identityOf(state);
    const credential = await state.credential;
    state.presented = credential;
    if (credential?.kind === 'registry-token') return { value: `Bearer ${credential.token}` };
    if (challenge.scheme === 'basic') {
      const value = basicOf(credential);
      return value === undefined ? undefined : { value };
    }
    const own = await this.grantable(identity, request.scopes ?? []);
    const planned = await this.scopesFor(identity, request, own);
    // Docker Hub refuses the whole request if one scope names a missing repository, others if it has
    // two: fewer are asked for then. A mount may do without its source.
    const fewer = [own, own.slice(0, 1)].filter(({ length }) => length > 0);
    let refusal: unknown;
    for (const scopes of [planned, ...fewer]) {
      if (refusal !== undefined && scopes.length >= planned.length) continue;
      try {
        return await this.bearer(identity, request.url, challenge, scopes);
      } catch (error) {
        if (!(error instanceof TokenRefused)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  /** What a token for a request is asked for: as much as the token server is known to handle. */
  private async scopesFor(
    identity: Identity,
    request: HttpRequest,
    own: readonly Scope[],
  ): Promise<readonly Scope[]> {
    const alone = identity.alone.get(formatScopes(request.scopes));
    if (alone !== undefined) return alone;
    const planned = await this.plannedScopes(identity, request);
    const isLimited = identity.alone.size > 0 && own.length > 0;
    return isLimited && !identity.accepted.has(useOf(request, planned)) ? own : planned;
  }

  private async bearer(
    identity: Identity,
    registry: URL,
    challenge: Challenge,
    scopes: readonly Scope[],
  ): Promise<Authorization> {
    return { value: bearer(await this.token(identity, registry, challenge, scopes)), scopes };
  }

  private token(
    identity: Identity,
    registry: URL,
    { parameters }: Challenge,
    scopes: readonly Scope[],
  ): Promise<Token> {
    const [realm, service] = [parameters.get('realm'), parameters.get('service')];
    const key = [realm, service, formatScopes(scopes)].join(' ');
    const held = identity.tokens.get(key);
    if (held !== undefined && !isSpent(identity, held.settled)) return held.promise;
    const entry: HeldToken = {
      promise: requestToken(this.options.tokenTransport, {
        realm: checkedRealm(realm, registry),
        service,
        scopes,
        credential: identity.credential,
        host: this.options.host,
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

  /** The scopes that a token of an identity is asked for: those of all requests of the call. */
  private plannedScopes(identity: Identity, { expected = [] }: HttpRequest): Promise<Scope[]> {
    return this.grantable(identity, [...expected, ...identity.extraScopes]);
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
      alone: new Map(),
      accepted: new Set(),
      denied: new Set(),
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

/** The answer of a credential store; what it throws passes the transport as it is. */
async function unchanged<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new CredentialStoreFailure(error);
  }
}

const ANONYMOUS: CredentialStore = { get: () => Promise.resolve(undefined) };

function hasValue({ credential }: Identity): boolean {
  return credential !== undefined;
}

function signed(
  request: HttpRequest,
  { presented }: RepositoryState,
  used: Authorization | undefined,
): HttpRequest {
  if (used === undefined) return request;
  return {
    ...request,
    headers: { ...request.headers, authorization: used.value },
    signedWith: presented?.source ?? 'an anonymous token',
  };
}
