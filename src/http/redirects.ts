import { ManifestToolError } from '../errors.js';
import type { HttpRequest, HttpResponse, Layer } from './request.js';
import { parseUrl } from './url.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const NOT_FOLLOWED = 'nothing was sent there; if the registry is yours, correct its redirects';

/**
 * Follows redirects. The layer is outside of authentication, which judges each hop by its own origin:
 * a storage host never gets a credential of the registry (OCI distribution-spec, Redirects). A
 * redirect from https to http is refused. A write follows 307 and 308 only: the others would turn it
 * into a read.
 */
export function redirects({ onlySameOrigin = false } = {}): Layer {
  return async (request, next) => {
    let current = request;
    for (let hops = 0; ; hops += 1) {
      const response = await next(current);
      if (!REDIRECTS.has(response.status)) return response;
      if (hops === MAX_REDIRECTS) {
        throw refuse(
          current,
          `more than ${MAX_REDIRECTS} redirects`,
          'check the name of the registry, and the redirects of a proxy in front of it',
        );
      }
      current = { ...current, url: targetOf(current, response, onlySameOrigin) };
    }
  };
}

function targetOf(request: HttpRequest, response: HttpResponse, onlySameOrigin: boolean): URL {
  const location = response.headers.first('location');
  if (location === undefined) throw refuse(request, 'a redirect without Location');
  const url = parseUrl(location, request.url);
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refuse(request, 'a redirect to something other than an http address');
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(request, 'a redirect to an address with credentials in it');
  }
  if (request.url.protocol === 'https:' && url.protocol === 'http:') {
    throw refuse(
      request,
      `a redirect from https to http (${url.host})`,
      'if the registry is yours, have it redirect to https: X-Forwarded-Proto behind a proxy',
    );
  }
  if (onlySameOrigin && url.origin !== request.url.origin) {
    throw refuse(request, `a redirect to another host (${url.host})`);
  }
  const isWrite = request.method !== 'GET' && request.method !== 'HEAD';
  if (isWrite && response.status !== 307 && response.status !== 308) {
    throw refuse(
      request,
      `a redirect with status ${response.status} to ${url.origin}, which would lose the request body`,
      `use the address that the registry redirects to: ${url.host}`,
    );
  }
  return url;
}

function refuse(request: HttpRequest, why: string, hint = NOT_FOLLOWED): ManifestToolError {
  return new ManifestToolError(
    'FAILED',
    `${request.method} ${request.url.origin}${request.url.pathname}`,
    `the registry answered with ${why}`,
    { hint },
  );
}
