import { formatDuration } from '../duration.js';
import { ManifestToolError, type ErrorCode } from '../errors.js';
import { parseChallenges } from '../http/auth/challenge.js';
import type { HttpResponse } from '../http/request.js';
import { isSecondaryLimit, retryAfter } from '../http/retry-after.js';
import { formatScope, parseScopes } from '../http/auth/scopes.js';
import { isWebPage, WireError } from './wire-error.js';

/** Where a request was going and as identity, for the message about it. */
export interface RequestContext {
  readonly host: string;
  /** `as alice with the credentials of …`, `anonymously`. */
  readonly identity: string;
  /** Whether the answer is that of a host that the registry redirects to: it has never seen a credential. */
  readonly isRedirected: boolean;
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
  const tries = (response.attempts ?? 1) > 1 ? ` (${response.attempts} tries)` : '';
  if (status === 429 || isSecondaryLimit(response)) {
    return make(
      'UNAVAILABLE',
      `${context.host} limits the rate of requests (status ${status}${says})${asksToWait(response)}${tries}`,
      rateHint(context),
    );
  }
  // 408 is one of those that are sent again because they pass.
  if (status === 408 || status >= 500) {
    return make(
      'UNAVAILABLE',
      `${context.host} answered with status ${status}${says}${tries}`,
      status === 501 ? SUPPORT_HINT : 'try again later, or more often with --retry',
    );
  }
  if (isWebPage(response)) {
    return make(
      'UNAVAILABLE',
      `${context.host} answered with a web page (status ${status}): it is not a registry`,
      NAME_HINT,
    );
  }
  if (status === 404)
    return make('NOT_FOUND', `not found (${text || 'status 404'})`, missingHint(context));
  if (IMMUTABLE_STATUS.has(status) && IMMUTABLE.test(text)) {
    return make(
      'REFUSED',
      `the tag exists and the registry does not move it (status ${status}${says})`,
      'publish under another tag, or have the registry allow it',
    );
  }
  if (status === 401 || status === 403) {
    return make(
      'DENIED',
      `not allowed ${context.isRedirected ? `by ${context.host}` : context.identity} (status ${status}${says})${asked(response)}`,
      deniedHint(status, context),
    );
  }
  if (status === 413) {
    return make(
      'FAILED',
      `the registry says that it is too large (status 413${says})`,
      'have the registry, or the proxy before it, take larger requests',
    );
  }
  if (status >= 300 && status < 400) {
    return make(
      'FAILED',
      `${context.host} answered with status ${status}, which is no answer to this`,
      NAME_HINT,
    );
  }
  return make('FAILED', `${context.host} answered with status ${status}${says}`, SUPPORT_HINT);
}

const NAME_HINT = 'check the name and the port of the registry';
const SUPPORT_HINT = 'check-registry proves what a registry supports; --debug shows the request';

/** How registries say that a tag is there to stay; each has a status of its own for it. */
const IMMUTABLE = /immutable|cannot be overwritten|ImageTagAlreadyExists|already exists/i;
const IMMUTABLE_STATUS = new Set([400, 403, 409, 412]);

function asksToWait(response: HttpResponse): string {
  const wait = retryAfter(response, Date.now());
  return wait === undefined ? '' : ` and asks to wait ${formatDuration(wait)}`;
}

function isNobody({ identity }: RequestContext): boolean {
  return identity === 'anonymously' || identity === 'without credentials';
}

/** A registry that asks who is there may say that something is not, where it is not for all. */
function missingHint({ isRedirected, identity }: RequestContext): string {
  if (isRedirected) return LOST_HINT;
  const check = 'check the name and the tag or digest';
  if (identity === 'without credentials') return check;
  return identity === 'anonymously'
    ? `${check}, or log in: what is private is not shown to all`
    : `${check}, and whether this user may see the repository`;
}

const LOST_HINT =
  'push the image again: the registry does not hold all of it; verify names the rest';

function rateHint(context: RequestContext): string {
  return isNobody(context)
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

function deniedHint(status: number, context: RequestContext): string {
  const { host, isRedirected } = context;
  // Storage is asked with an address that says for itself who may ask, and for how long.
  if (isRedirected) return 'try again: the address that the registry gave may have run out';
  if (isNobody(context)) {
    return `log in with "docker login ${host}", or give --username and --password`;
  }
  if (status === 401)
    return `these credentials are refused; log in again with "docker login ${host}"`;
  return 'the repository may not exist, or this user may not do this in it';
}

/** Codes by which a registry says that it does not hold what a manifest names. */
const MISSING = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NOT_FOUND']);

/**
 * The same for an answer to the write of a manifest, which may also be about what the manifest names (OCI distribution-spec, Pushing
 * Manifests): INCOMPLETE, told by its code (Gitea and Harbor do it with a 404).
 */
export function writeFailure(
  what: string,
  response: HttpResponse,
  context: RequestContext,
): ManifestToolError {
  const cause = new WireError(response);
  const { status, codes, text } = cause;
  if (status === 404 && codes.includes('NAME_UNKNOWN')) {
    return new ManifestToolError('NOT_FOUND', what, `the repository does not exist (${text})`, {
      cause,
      hint: 'create it at the registry',
    });
  }
  if ((status === 400 || status === 404) && codes.some((code) => MISSING.has(code))) {
    const why = `the registry misses something that it names (${text || `status ${status}`})`;
    return new ManifestToolError('INCOMPLETE', what, why, {
      cause,
      hint: 'run it again, with --wait TIME where what was pushed may take a moment to appear',
    });
  }
  return answerFailure(what, response, context);
}

/** The same for an answer about something that a manifest names: where that is not there, no name was mistyped. */
export function partFailure(
  what: string,
  response: HttpResponse,
  context: RequestContext,
): ManifestToolError {
  const failure = answerFailure(what, response, context);
  if (failure.code !== 'NOT_FOUND') return failure;
  const { code, why, cause } = failure;
  return new ManifestToolError(code, what, why, { cause, hint: LOST_HINT });
}
