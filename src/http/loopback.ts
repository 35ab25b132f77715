import { Attempts } from '../attempts.js';
import { apiHost } from '../docker-hub.js';
import { systemCode } from '../errors.js';
import { CONNECTION, isClosed, isNoTls, knownCode } from './errors.js';
import type { HttpRequest, HttpResponse, Layer, Transport } from './request.js';
import { isLoopbackHost, portOf } from './url.js';

/** What servers answer, with status 400, to plain HTTP on a port of TLS: Go, nginx, Apache, Tomcat. */
const SPEAKS_TLS = new RegExp(
  [
    'HTTP request to an HTTPS server',
    'plain HTTP request was sent to HTTPS port',
    'plain HTTP to an SSL-enabled server port',
    'combination of host and port requires TLS',
  ].join('|'),
  'i',
);

type Scheme = 'http:' | 'https:';

/** What the user says about the scheme of a registry. */
export interface SchemeOptions {
  /** Whether to speak plain HTTP to a host (`host[:port]`). */
  readonly plainHttp: (host: string) => boolean;
  /** Whether TLS is intended for a loopback host. */
  readonly tlsIsMeant: (host: string) => 'certainly' | 'perhaps' | 'no';
}

/**
 * The origins that a registry may have. There is one, except for a loopback host of which the scheme
 * is not certain: the more likely one is first.
 */
export function registryOrigins(
  host: string,
  { plainHttp, tlsIsMeant }: SchemeOptions,
): readonly [URL, ...URL[]] {
  const address = apiHost(host);
  const [http, https] = [new URL(`http://${address}`), new URL(`https://${address}`)];
  if (plainHttp(host)) return [http];
  const tls = isLoopbackHost(http.hostname) ? tlsIsMeant(host) : 'certainly';
  if (tls === 'certainly') return [https];
  // With the same port, although the default port of the other scheme is another one.
  if (tls === 'no') return [http, new URL(`https://${http.hostname}:${http.port || '80'}`)];
  return [https, new URL(`http://${https.hostname}:${https.port || '443'}`)];
}

/**
 * Speaks to a registry in the scheme of its first origin, and if it turns out to speak the other one,
 * in that from then on. For loopback hosts only: what they are sent in plain HTTP passes no network.
 * A certificate that is not trusted is no reason to leave TLS.
 */
export function loopbackScheme([likely, other]: readonly URL[]): Layer {
  if (likely === undefined || other === undefined) return (request, next) => next(request);
  const origins = new Set([likely.origin, other.origin]);
  let scheme = likely.protocol as Scheme;
  /** Whether the server has answered in that scheme. */
  let isCertain = false;
  return async (request, next) => {
    if (!origins.has(request.url.origin)) return next(request);
    const tried = scheme;
    const response =
      tried === 'http:' && !isCertain
        ? await plainOrTls(request, next)
        : await answerIn(tried, request, next);
    isCertain = true;
    if (response !== undefined) {
      scheme = response.url.protocol as Scheme;
      return response;
    }
    scheme = tried === 'http:' ? 'https:' : 'http:';
    return next(inScheme(request, scheme));
  };
}

/**
 * The answer in plain HTTP; undefined if the server says that it speaks TLS. Some just close the
 * connection: the first time, the request is then sent once in TLS, before the other attempts in
 * plain HTTP.
 */
async function plainOrTls(
  request: HttpRequest,
  next: Transport,
): Promise<HttpResponse | undefined> {
  const { attempts = new Attempts() } = request;
  const plain = { ...request, attempts };
  try {
    return await answerIn('http:', { ...plain, returnsEarly: isClosed }, next);
  } catch (error) {
    if (!isClosed(error)) throw error;
    try {
      const tls = { ...inScheme(request, 'https:'), attempts: new Attempts(), retries: 0 };
      return await next(tls);
    } catch (tlsError) {
      // A certificate that is not trusted, or an alert.
      if (!isNoTls(tlsError) && knownCode(tlsError, CONNECTION) === undefined) throw tlsError;
    }
    if (attempts.number === 1 || attempts.restarts) throw error;
    return answerIn('http:', plain, next);
  }
}

/** The answer in a scheme; undefined if the server speaks the other one. */
async function answerIn(
  scheme: Scheme,
  request: HttpRequest,
  next: Transport,
): Promise<HttpResponse | undefined> {
  try {
    const response = await next(inScheme(request, scheme));
    const isTls =
      scheme === 'http:' &&
      response.status === 400 &&
      SPEAKS_TLS.test(Buffer.from(response.body).toString());
    return isTls ? undefined : response;
  } catch (error) {
    // A TLS alert is not valid HTTP, which the parser reports.
    const isOther =
      scheme === 'http:' ? systemCode(error)?.startsWith('HPE_INVALID') : isNoTls(error);
    if (isOther === true) return undefined;
    throw error;
  }
}

function inScheme(request: HttpRequest, scheme: Scheme): HttpRequest {
  const { url } = request;
  if (url.protocol === scheme) return request;
  const other = new URL(url);
  other.protocol = scheme;
  // A default port is not that of the other scheme.
  if (url.port === '') other.port = String(portOf(url));
  return { ...request, url: other };
}
