import { createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from './certificate.js';
import { temporaryFolder } from './supervise.js';

/** What a scope asks for, and what a token allows. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenServerOptions {
  /** Speaks TLS, with the certificate that signs its tokens. */
  readonly tls?: boolean;
  /** Passwords by user (default: alice, secret). */
  readonly users?: Readonly<Record<string, string>>;
  /** Users by identity token, for `grant_type=refresh_token` (default: `alice-identity`, of alice). */
  readonly identityTokens?: Readonly<Record<string, string>>;
  /** Which of the actions asked for `user` may do; undefined is the anonymous one (default: all for a user, none for the anonymous one). */
  readonly grants?: (user: string | undefined, asked: Access) => readonly string[];
}

export interface TokenRequest {
  readonly method: string;
  /** The query of a GET, the form of a POST. */
  readonly parameters: URLSearchParams;
  /** The scopes asked for, one an item, whether they came in one parameter or in several. */
  readonly scopes: readonly string[];
  readonly hasAuthorization: boolean;
  readonly status: number;
}

export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** The certificate that the registry has to trust. */
  readonly certFile: string;
  /** All requests, in the order of their arrival. */
  readonly requests: TokenRequest[];
  /** The Authorization header of a token for pull and push in these repositories, without a request. */
  authorize(repositories: readonly string[]): string;
  stop(): Promise<void>;
}

const SERVICE = 'registry.test';
const ISSUER = 'test-issuer';
const LIFETIME_S = 300;

/** Starts a token server (https://distribution.github.io/distribution/spec/auth/token/ and /oauth/) on 127.0.0.1. */
export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const folder = await temporaryFolder();
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', removeFolder);
  const { keyFile, certFile } = await makeCertificate(folder);
  const signer = new Signer(
    createPrivateKey(await readFile(keyFile)),
    new X509Certificate(await readFile(certFile)),
  );
  const requests: TokenRequest[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void answer(request, response, options, signer, requests);
  const isTls = options.tls === true;
  const server = isTls
    ? createTlsServer({ key: await readFile(keyFile), cert: await readFile(certFile) }, listener)
    : createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    realm: `${isTls ? 'https' : 'http'}://127.0.0.1:${port}/token`,
    service: SERVICE,
    issuer: ISSUER,
    certFile,
    requests,
    authorize(repositories) {
      const access = repositories.map((name) => ({
        type: 'repository',
        name,
        actions: ['pull', 'push'],
      }));
      return `Bearer ${signer.token('test', access)}`;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      process.off('exit', removeFolder);
      removeFolder();
    },
  };
}

/** Makes the tokens that distribution 2.8 accepts: ES256, with the certificate in the header. */
class Signer {
  constructor(
    private readonly key: KeyObject,
    private readonly certificate: X509Certificate,
  ) {}

  token(subject: string, access: readonly Access[]): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'ES256', x5c: [this.certificate.raw.toString('base64')] };
    const claims = {
      iss: ISSUER,
      sub: subject,
      aud: SERVICE,
      exp: now + LIFETIME_S,
      nbf: now - 10,
      iat: now,
      access,
    };
    const text = `${base64url(header)}.${base64url(claims)}`;
    const signature = sign('sha256', Buffer.from(text), {
      key: this.key,
      dsaEncoding: 'ieee-p1363',
    });
    return `${text}.${signature.toString('base64url')}`;
  }
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: TokenServerOptions,
  signer: Signer,
  requests: TokenRequest[],
): Promise<void> {
  const { method = '', url = '', headers } = request;
  const isPost = method === 'POST';
  const parameters = isPost
    ? new URLSearchParams(await textOf(request))
    : new URL(url, 'http://127.0.0.1').searchParams;
  const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' ').filter(Boolean));
  const user = isPost
    ? userOfForm(parameters, options)
    : userOfHeader(headers.authorization, options);
  const status = user === 'refused' ? 401 : 200;
  requests.push({
    method,
    parameters,
    scopes,
    hasAuthorization: headers.authorization !== undefined,
    status,
  });
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  if (user === 'refused') {
    const errors = [{ code: 'UNAUTHORIZED', message: 'incorrect username or password' }];
    response.end(JSON.stringify({ errors }));
    return;
  }
  const grants = options.grants ?? ((name, asked) => (name === undefined ? [] : asked.actions));
  const access = scopes
    .map(parseScope)
    .map((asked) => ({ ...asked, actions: grants(user.name, asked) }))
    .filter(({ actions }) => actions.length > 0);
  const token = signer.token(user.name ?? '', access);
  const issued = { expires_in: LIFETIME_S, issued_at: new Date().toISOString() };
  response.end(
    JSON.stringify(
      isPost
        ? { access_token: token, scope: scopes.join(' '), ...issued }
        : { token, access_token: token, ...issued },
    ),
  );
}

type Caller = { readonly name: string | undefined } | 'refused';

function userOfHeader(authorization: string | undefined, options: TokenServerOptions): Caller {
  if (authorization === undefined) return { name: undefined };
  const [scheme = '', encoded = ''] = authorization.split(' ');
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (scheme.toLowerCase() !== 'basic' || colon < 0) return 'refused';
  return userOf(text.slice(0, colon), text.slice(colon + 1), options);
}

function userOfForm(form: URLSearchParams, options: TokenServerOptions): Caller {
  if (form.get('grant_type') === 'password')
    return userOf(form.get('username') ?? '', form.get('password') ?? '', options);
  if (form.get('grant_type') !== 'refresh_token') return 'refused';
  const known = options.identityTokens ?? { 'alice-identity': 'alice' };
  const name = known[form.get('refresh_token') ?? ''];
  return name === undefined ? 'refused' : { name };
}

function userOf(name: string, password: string, options: TokenServerOptions): Caller {
  const users = options.users ?? { alice: 'secret' };
  return Object.hasOwn(users, name) && users[name] === password ? { name } : 'refused';
}

/** `repository:a/b:pull,push`; a name may have a port, so the last colon counts. */
function parseScope(scope: string): Access {
  const [, type = '', name = '', actions = ''] = /^([^:]*):(.*):([^:]*)$/.exec(scope) ?? [];
  return { type, name, actions: actions.split(',') };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
