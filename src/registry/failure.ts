import { ManifestToolError, type ErrorCode } from '../errors.js';
import { parseChallenges } from '../transport/challenge.js';
import type { HttpResponse } from '../transport/http.js';
import { formatScope, parseScopes } from '../transport/scopes.js';
import { isWebPage, WireError } from './wire-error.js';

/** Where a request was going and as whom, for the message about it. */
export interface RequestContext {
  readonly host: string;
  /** `as alice with the credentials of …`, `anonymously`. */
  readonly whom: string;
}

/** The answer of a registry that did not do what it was asked, as an error of this program: decided by the status first, the codes second. */
export function answerFailure(
  what: string,
  response: HttpResponse,
  context: RequestContext,
): ManifestToolError {
  const cause = new WireError(response);
  const make = (code: ErrorCode, why: string, hint?: string): ManifestToolError =>
    new ManifestToolError(code, what, why, { cause, hint });
  const { status, text } = cause;
  const says = text === '' ? '' : `: ${text}`;
  if (status === 429 || isSecondaryLimit(cause)) {
    return make(
      'UNAVAILABLE',
      `${context.host} limits the rate of requests (status ${status}${says})`,
      rateHint(context),
    );
  }
  if (status >= 500)
    return make('UNAVAILABLE', `${context.host} answered with status ${status}${says}`);
  if (isWebPage(response)) {
    return make(
      'UNAVAILABLE',
      `${context.host} answered with a web page (status ${status}): it is not a registry`,
      'check the name and the port of the registry',
    );
  }
  if (status === 404) return make('NOT_FOUND', `not found (${text || 'status 404'})`);
  if (status === 401 || status === 403) {
    return make(
      'DENIED',
      `not allowed ${context.whom} (status ${status}${says})${asked(response)}`,
      deniedHint(status, context),
    );
  }
  if (status === 413)
    return make('FAILED', `the registry says that it is too large (status 413${says})`);
  if (status >= 300 && status < 400) {
    return make(
      'FAILED',
      `${context.host} answered with status ${status}, which is no answer to this`,
    );
  }
  return make('FAILED', `${context.host} answered with status ${status}${says}`);
}

/** GitHub's registry answers 403 where it means 429. */
function isSecondaryLimit({ status, text }: WireError): boolean {
  return status === 403 && /secondary rate limit/i.test(text);
}

function rateHint({ whom }: RequestContext): string {
  return whom === 'anonymously' || whom === 'without credentials'
    ? 'wait, or log in: registries allow more to those they know'
    : 'wait before trying again';
}

/** What the registry wanted to see in the token, where it says so. */
function asked(response: HttpResponse): string {
  const scopes = parseChallenges(response.headers.all('www-authenticate')).flatMap((challenge) =>
    parseScopes(challenge.parameters.get('scope') ?? ''),
  );
  return scopes.length === 0 ? '' : `; it asks for ${scopes.map(formatScope).join(' ')}`;
}

function deniedHint(status: number, { host, whom }: RequestContext): string {
  if (whom === 'anonymously' || whom === 'without credentials') {
    return `log in with "docker login ${host}", or give --username and --password`;
  }
  if (status === 401)
    return `these credentials are refused; log in again with "docker login ${host}"`;
  return 'the repository may not exist, or this user may not do this in it';
}
