import { systemCode } from '../errors.js';
import { portOf } from './url.js';
import { isNoTls } from './errors.js';
import type { HttpRequest, HttpResponse, Transport } from './request.js';

/** What servers say, with status 400, to plain HTTP on a port of TLS. */
const SPEAKS_TLS = /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port/i;

type Scheme = 'http:' | 'https:';

/**
 * A layer that speaks to a registry on this machine in the scheme that is likely, and if it turns
 * out to speak the other one, in that from then on; all uses of the layer share what was learnt.
 * What goes to this machine in plain HTTP passes no network; a bad certificate is no reason to leave
 * TLS.
 */
export function withLoopbackScheme(
  isOwn: (url: URL) => boolean,
  likely: Scheme,
): (next: Transport) => Transport {
  let scheme = likely;
  return (next) => async (request) => {
    if (!isOwn(request.url)) return next(request);
    const tried = scheme;
    const response = await answerOrOther(next, inScheme(request, tried), tried);
    if (response !== undefined) return response;
    scheme = tried === 'http:' ? 'https:' : 'http:';
    return next(inScheme(request, scheme));
  };
}

/** The answer; undefined where the server speaks the other scheme. */
async function answerOrOther(
  next: Transport,
  request: HttpRequest,
  scheme: Scheme,
): Promise<HttpResponse | undefined> {
  try {
    const response = await next(request);
    const isTls =
      scheme === 'http:' &&
      response.status === 400 &&
      SPEAKS_TLS.test(Buffer.from(response.body).toString());
    return isTls ? undefined : response;
  } catch (error) {
    // A TLS alert is no HTTP: the parser says so.
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
  // The same port, where it is the default of the one and not of the other.
  if (url.port === '') other.port = String(portOf(url));
  return { ...request, url: other };
}
