import { ManifestToolError } from '../errors.js';
import type { HttpHeaders, HttpResponse } from '../http/request.js';
import { resolveHeaderUrl } from '../http/url.js';
import type { Connection } from './connection.js';
import type { Call } from './requests.js';

/** The page of a list at which reading ends with an error: a registry may page without end. */
const ENDLESS = 1000;

const PAGES_HINT =
  'configure the registry, or the proxy in front of it, to send correct Link headers';

/**
 * Reads a list that comes in pages (RFC 8288, `Link: <URL>; rel="next"`). The first answer is
 * returned whatever its status, and is the last one unless it is 200; a list is never silently
 * partial after it.
 * @throws {ManifestToolError} what {@link Connection.unexpected} says of a later page that is not
 * 200; FAILED if a page repeats, cannot be addressed, or is the thousandth.
 */
export async function* readPages(
  connection: Connection,
  request: Call,
): AsyncGenerator<HttpResponse, void, undefined> {
  const { what } = request;
  const fail = (why: string): ManifestToolError =>
    new ManifestToolError('FAILED', what, why, { hint: PAGES_HINT });
  const visited = new Set<string>();
  let path: string | undefined = request.path;
  while (path !== undefined) {
    if (visited.has(path)) throw fail('the registry repeats a page of the list');
    visited.add(path);
    if (visited.size === ENDLESS) {
      throw fail(`the list has ${ENDLESS} pages or more`);
    }
    const response = await connection.send({ ...request, path });
    if (visited.size > 1 && response.status !== 200) throw connection.unexpected(what, response);
    yield response;
    if (response.status !== 200) return;
    const target = nextLink(response.headers);
    if (target === undefined) return;
    path = pathOf(target, response.url);
    if (path === undefined) throw fail('the address of the next page (Link) is not valid');
  }
}

/**
 * The path and query of a link, which are used on the registry's own origin: behind a proxy, links
 * name another scheme, port or host, and requests are never sent there (GHSA-h7vf-4x9w-h99v).
 */
function pathOf(target: string, base: URL): string | undefined {
  const url = resolveHeaderUrl(target, base);
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  return `${url.pathname}${url.search}`;
}

/** One link of a Link header: its target, with or without brackets, and its parameters. */
const LINK = /(?:<([^>]*)>|([^\s,;<>]+))((?:\s*;\s*[^\s;,="]+(?:\s*=\s*(?:"[^"]*"|[^\s;,"]*))?)*)/g;
const PARAMETER = /;\s*([^\s;,="]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;,"]*)))?/g;

/** The target of the link to the next page; undefined if there is none. */
function nextLink(headers: HttpHeaders): string | undefined {
  const links = headers.all('link').flatMap((line) => [...line.matchAll(LINK)]);
  const next = links.find(([, , , parameters = '']) => isNext(parameters));
  return next?.[1] ?? next?.[2];
}

function isNext(parameters: string): boolean {
  return [...parameters.matchAll(PARAMETER)].some(
    ([, name = '', quoted, token = '']) =>
      name.toLowerCase() === 'rel' && (quoted ?? token).toLowerCase().split(/\s+/).includes('next'),
  );
}
