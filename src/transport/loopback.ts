import { systemCode } from '../errors.js';
import type { HttpRequest, HttpResponse, Transport } from './http.js';

/** What servers say, with status 400, to plain HTTP on a port of TLS. */
const SPEAKS_TLS = /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port/i;

/**
 * A registry on this machine is spoken to in plain HTTP where nothing says otherwise; one that turns out to speak TLS is spoken to in
 * TLS from then on. The other way, from TLS to plain HTTP, is never taken.
 */
export function withLoopbackUpgrade(next: Transport, isOwn: (url: URL) => boolean): Transport {
  let speaksTls = false;
  return async (request) => {
    if (!isOwn(request.url)) return next(request);
    if (!speaksTls) {
      const response = await answerOrTls(next, request);
      if (response !== 'tls') return response;
      speaksTls = true;
    }
    return next({ ...request, url: inTls(request.url) });
  };
}

async function answerOrTls(next: Transport, request: HttpRequest): Promise<HttpResponse | 'tls'> {
  try {
    const response = await next(request);
    const isTls = response.status === 400 && SPEAKS_TLS.test(Buffer.from(response.body).toString());
    return isTls ? 'tls' : response;
  } catch (error) {
    // A TLS alert is no HTTP: the parser says so.
    if (systemCode(error)?.startsWith('HPE_INVALID')) return 'tls';
    throw error;
  }
}

function inTls(url: URL): URL {
  const secure = new URL(url);
  secure.protocol = 'https:';
  // The same port, where it is the default of plain HTTP.
  if (url.port === '') secure.port = '80';
  return secure;
}
