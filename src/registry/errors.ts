import { formatTries } from '../attempts.js';
import { formatDuration } from '../duration.js';
import { ManifestToolError, type ErrorCode, type ErrorDetails } from '../errors.js';
import { parseChallenges } from '../http/auth/challenge.js';
import { formatScope, parseScopes } from '../http/auth/scopes.js';
import type { HttpResponse } from '../http/request.js';
import { isSecondaryLimit, retryAfter } from '../http/retry-after.js';
import { isJsonObject, parseJson, type JsonValue } from '../oci/json/parse.js';

/**
 * Purpose of a request, if it changes the meaning of an answer: the write of a manifest, or the
 * read of content that a manifest names.
 */
export type Purpose = 'write' | 'content';

/** The host and the identity of a request, for the message about its answer. */
export interface RequestContext {
  readonly host: string;
  /** `as alice with the credentials of …`, `anonymously`, `without credentials`. */
  readonly identity: string;
  /**
   * Whether the answer is that of a host that the registry redirects to, which is never sent a
   * credential.
   */
  readonly isRedirected: boolean;
  readonly purpose?: Purpose | undefined;
}

/**
 * The answer of a registry that refused or failed: its status, and its own error codes and messages
 * (OCI distribution-spec, Error Codes).
 */
export class RegistryError extends Error {
  readonly status: number;
  readonly codes: readonly string[];
  /** Codes and messages of the registry: remote text, to be escaped before it is shown. */
  readonly text: string;

  constructor(response: HttpResponse) {
    const { codes, text } = readErrors(response);
    super(`status ${response.status}${text === '' ? '' : ` (${text})`}`);
    this.status = response.status;
    this.codes = codes;
    this.text = text;
  }

  /** `status 404, CODE: message`. */
  get summary(): string {
    return `status ${this.status}${this.text === '' ? '' : `, ${this.text}`}`;
  }
}

/**
 * Converts the answer of a registry that refused or failed to an error of this program: the status
 * decides, the body explains.
 * - 429, 408, 5xx and web pages are UNAVAILABLE
 * - 404 is NOT_FOUND; for the write of a manifest INCOMPLETE, if its codes say that something is
 *   missing (Gitea, Harbor)
 * - 400, 403, 409 and 412 are REFUSED if the text says that a tag is immutable
 * - 401 and 403 are DENIED; the rest is FAILED
 */
export function answerFailure(
  what: string,
  response: HttpResponse,
  context: RequestContext,
): ManifestToolError {
  const cause = new RegistryError(response);
  const make = (code: ErrorCode, why: string, advice: Advice): ManifestToolError =>
    new ManifestToolError(code, what, why, {
      cause,
      ...(typeof advice === 'string' ? { hint: advice } : advice),
    });
  const { status, text } = cause;
  const { host, identity, isRedirected, purpose } = context;
  const says = text === '' ? '' : `: ${text}`;
  const tries = formatTries(response.attempts);

  if (purpose === 'write') {
    const missing = missingPart(cause);
    if (missing !== undefined) return make(missing.code, missing.why, missing.advice);
  }
  if (isRateLimit(response)) {
    const asks = asksToWait(response);
    const why = `${host} limits the rate of requests (status ${status}${says})${asks}${tries}`;
    return make('UNAVAILABLE', why, rateAdvice(context));
  }
  if (isUnavailable(response)) {
    const why = `${host} answered with status ${status}${says}${tries}`;
    return make('UNAVAILABLE', why, { reason: 'registry-unavailable' });
  }
  if (status === 501) {
    return make('UNAVAILABLE', `${host} answered with status 501${says}`, UNEXPECTED);
  }
  if (isWebPage(response)) {
    const why = `${host} answered with a web page (status ${status}): it is not a registry`;
    return make('UNAVAILABLE', why, NAME_ADVICE);
  }
  if (status === 404) {
    const advice =
      purpose === 'content' ? ({ reason: 'content-missing' } as const) : missingAdvice(context);
    return make('NOT_FOUND', `not found (${text || 'status 404'})`, advice);
  }
  if (IMMUTABLE_STATUS.has(status) && IMMUTABLE.test(text)) {
    const why = `the tag exists and the registry does not move it (status ${status}${says})`;
    return make('REFUSED', why, 'publish under another tag, or have the registry allow it');
  }
  if (status === 401 || status === 403) {
    const whose = isRedirected ? `by ${host}` : identity;
    const why = `not allowed ${whose} (status ${status}${says})${scopesAsked(response)}`;
    return make('DENIED', why, deniedAdvice(status, context));
  }
  if (status === 413) {
    const why = `the registry says that it is too large (status 413${says})`;
    return make('FAILED', why, 'have the registry, or the proxy before it, accept larger requests');
  }
  if (status >= 300 && status < 400) {
    const why = `${host} answered with status ${status}${says}, which does not answer the request`;
    return make('FAILED', why, NAME_ADVICE);
  }
  return make('FAILED', `${host} answered with status ${status}${says}`, UNEXPECTED);
}

/** Whether an answer limits the rate of requests. */
function isRateLimit(response: HttpResponse): boolean {
  return response.status === 429 || isSecondaryLimit(response);
}

/**
 * Whether an answer is a transient failure. 501 is not: the registry does not implement the
 * request.
 */
export function isUnavailable(response: HttpResponse): boolean {
  const { status } = response;
  return isRateLimit(response) || status === 408 || (status >= 500 && status !== 501);
}

/** Whether an answer is a web page: the server is then not a registry, whatever the status. */
export function isWebPage(response: HttpResponse): boolean {
  const type = response.headers.first('content-type') ?? '';
  if (/^text\/html\b/i.test(type)) return true;
  const start = Buffer.from(response.body.subarray(0, MAX_PAGE_START)).toString();
  return /^\s*<(!doctype|html)/i.test(start);
}

/** How much of a body shows whether it is a web page, in bytes. */
const MAX_PAGE_START = 1024;

/** A hint, or a reason for which the command line has one. */
type Advice = string | Pick<ErrorDetails, 'reason' | 'data'>;

const UNEXPECTED: Advice = { reason: 'answer-unexpected' };
const NAME_ADVICE = 'check the name and the port of the registry';

/** How registries say that a tag cannot be moved; they use different statuses for it. */
const IMMUTABLE = /immutable|cannot be overwritten|ImageTagAlreadyExists|already exists/i;
const IMMUTABLE_STATUS = new Set([400, 403, 409, 412]);

/** Codes for content that a manifest names and the registry does not hold. */
const MISSING = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NOT_FOUND']);

/**
 * What a registry lacks to store a manifest (OCI distribution-spec, Pushing Manifests); undefined
 * if its answer does not say so.
 */
function missingPart({ status, codes, text }: RegistryError) {
  if (status === 404 && codes.includes('NAME_UNKNOWN')) {
    const why = `the repository does not exist (${text})`;
    return { code: 'NOT_FOUND', why, advice: 'create it at the registry' } as const;
  }
  if ((status === 400 || status === 404) && codes.some((code) => MISSING.has(code))) {
    const why = `the registry misses something that it names (${text || `status ${status}`})`;
    return { code: 'INCOMPLETE', why, advice: { reason: 'named-content-missing' } } as const;
  }
  return undefined;
}

function asksToWait(response: HttpResponse): string {
  const wait = retryAfter(response, Date.now());
  return wait === undefined ? '' : ` and asks to wait ${formatDuration(wait)}`;
}

function isUnauthenticated({ identity }: RequestContext): boolean {
  return identity === 'anonymously' || identity === 'without credentials';
}

/** A registry that authenticates may hide what exists. */
function missingAdvice({ isRedirected, identity }: RequestContext): Advice {
  if (isRedirected) return { reason: 'content-missing' };
  const check = 'check the name and the tag or digest';
  if (identity === 'without credentials') return check;
  return identity === 'anonymously'
    ? `${check}, or log in: private repositories are hidden from others`
    : `${check}, and whether this user may see the repository`;
}

function rateAdvice(context: RequestContext): Advice {
  return isUnauthenticated(context)
    ? 'wait, or log in: registries grant authenticated users higher limits'
    : 'wait before trying again';
}

/** The scopes that the registry wants in the token, if it names any. */
function scopesAsked(response: HttpResponse): string {
  const scopes = parseChallenges(response.headers.all('www-authenticate')).flatMap((challenge) =>
    parseScopes(challenge.parameters.get('scope') ?? ''),
  );
  return scopes.length === 0 ? '' : `; it asks for ${scopes.map(formatScope).join(' ')}`;
}

function deniedAdvice(status: number, context: RequestContext): Advice {
  const { host, isRedirected } = context;
  // The address of storage is signed, and valid for a time.
  if (isRedirected) return 'try again: the address that the registry gave may have expired';
  if (isUnauthenticated(context)) return { reason: 'login-required', data: { host } };
  if (status === 401) return { reason: 'credentials-rejected', data: { host } };
  return 'the repository may not exist, or this user may not do this in it';
}

function readErrors(response: HttpResponse): { codes: string[]; text: string } {
  const errors = errorList(response);
  // A body of another form is not shown: it may echo the request with its credentials, as that of
  // S3 does.
  if (errors === undefined) return { codes: [], text: isWebPage(response) ? 'a web page' : '' };
  const codes = errors.flatMap(({ code }) => (code === '' ? [] : [code]));
  const text = errors
    .map(({ code, message }) => [code, message].filter((part) => part !== '').join(': '))
    .join('; ');
  // Not cut here but after redaction: a part of a secret would not be recognized.
  return { codes, text };
}

interface ErrorEntry {
  readonly code: string;
  readonly message: string;
}

function errorList({ body }: HttpResponse): ErrorEntry[] | undefined {
  const json = tryParse(Buffer.from(body).toString());
  const list = isJsonObject(json) ? json.get('errors') : undefined;
  if (!Array.isArray(list)) return undefined;
  return (list as JsonValue[]).filter(isJsonObject).map((error) => ({
    code: asString(error.get('code')),
    message: asString(error.get('message')),
  }));
}

function asString(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
