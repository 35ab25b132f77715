import { formatTries } from '../attempts.js';
import {
  ManifestToolError,
  type ErrorCode,
  type ErrorDetails,
  type RegistryErrorEntry,
} from '../errors.js';
import { parseChallenges } from '../http/auth/challenge.js';
import { formatScope, parseScopes } from '../http/auth/scopes.js';
import { isSuccess, type HttpResponse } from '../http/request.js';
import { formatWait, isLongWait, isSecondaryLimit, WAIT_ADVICE } from '../http/retry-after.js';
import { isWebPage } from '../http/web-page.js';
import {
  isJsonObject,
  JsonNumber,
  parseJson,
  type JsonObject,
  type JsonValue,
} from '../oci/json/parse.js';

/**
 * Purpose of a request, if it changes the meaning of an answer: the write of a manifest, an upload, or the
 * read of content that a manifest names.
 */
export type Purpose = 'write' | 'content' | 'upload';

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
  readonly errors: readonly RegistryErrorEntry[];
  /** Codes and messages of the registry: remote text, to be escaped before it is shown. */
  readonly text: string;
  /** The same, or a body of another form, to search for what it means: never shown. */
  readonly words: string;

  constructor(response: HttpResponse) {
    const { errors, text } = readErrors(response);
    super(`status ${response.status}${text === '' ? '' : ` (${text})`}`);
    this.status = response.status;
    this.errors = errors;
    this.text = text;
    this.words = errors.length > 0 || text !== '' ? text : Buffer.from(response.body).toString();
  }

  /** Those of its errors that have one. */
  get codes(): string[] {
    return this.errors.flatMap(({ code }) => (code === '' ? [] : [code]));
  }

  /** Whether an upload session is gone, for example because the registry has restarted. */
  get isUploadLost(): boolean {
    if (this.codes.includes('NAME_UNKNOWN')) return false;
    return LOST.has(this.status) || this.codes.includes('BLOB_UPLOAD_UNKNOWN');
  }

  /** Whether the registry refuses what it has received as other content than was announced. */
  get isOtherContent(): boolean {
    return OTHER_CONTENT_STATUS.has(this.status) && OTHER_CONTENT.test(this.words);
  }

  /** `status 404, CODE: message`. */
  get summary(): string {
    return `status ${this.status}${this.text === '' ? '' : `, ${this.text}`}`;
  }
}

/** Statuses of a session that is gone. */
const LOST = new Set([404, 410]);
/** How registries say that a blob does not have its digest; others name it for another reason. */
const OTHER_CONTENT_STATUS = new Set([400, 409, 416, 422]);
const OTHER_CONTENT = /digest|SIZE_INVALID|BLOB_UPLOAD_INVALID/i;

/**
 * Converts the answer of a registry that refused or failed to an error of this program: the status
 * decides, the body explains.
 * - 429, 408 and 5xx are UNAVAILABLE, but 507 is FAILED
 * - 2xx with a web page is UNAVAILABLE: there is no registry
 * - 404 and 410 are NOT_FOUND; for the write of a manifest, 404 is INCOMPLETE if its codes say that
 *   something is missing (Gitea, Harbor)
 * - 400, 403, 405, 409, 412 and 423 are REFUSED for the write of a manifest if the body says that
 *   the tag is immutable
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
      status: cause.status,
      errors: cause.errors,
      ...(typeof advice === 'string' ? { hint: advice } : advice),
    });
  const { status, text } = cause;
  const { host, identity, isRedirected, purpose } = context;
  const says = text === '' ? '' : `: ${text}`;
  const isPage = isWebPage(response);
  const tries = formatTries(response.attempts);
  const asks = formatWait(response, Date.now());

  if ((purpose === 'write' || purpose === 'upload') && lacksRepository(cause)) {
    return make(
      'NOT_FOUND',
      `the repository does not exist (${text})`,
      'create it at the registry',
    );
  }
  if (purpose === 'write') {
    const missing = missingPart(cause);
    if (missing !== undefined) return make(missing.code, missing.why, missing.advice);
    if (isImmutable(response, cause)) {
      const why = `the tag exists, and the registry does not allow overwriting it (status ${status}${says})`;
      return make(
        'REFUSED',
        why,
        'publish under another tag, or allow overwriting tags in the settings of the registry',
      );
    }
  }
  if (isRateLimit(response)) {
    const why = `${host} limits the rate of requests (status ${status}${says})${asks}${tries}`;
    return make('UNAVAILABLE', why, rateAdvice(response, context));
  }
  if (isUnavailable(response)) {
    const why = `${host} returned status ${status}${says}${asks}${tries}`;
    const isLong = isLongWait(response, Date.now());
    return make('UNAVAILABLE', why, isLong ? WAIT_ADVICE : { reason: 'registry-unavailable' });
  }
  if (status === 501) {
    return make('UNAVAILABLE', `${host} returned status 501${says}`, UNEXPECTED);
  }
  if (isPage && isSuccess(status)) {
    const why = `${host} returned a web page (status ${status}): it is not a registry`;
    return make('UNAVAILABLE', why, NAME_ADVICE);
  }
  if (status === 404 || status === 410) {
    const advice =
      purpose === 'content' ? ({ reason: 'content-missing' } as const) : missingAdvice(context);
    const reason = isPage || text === '' ? `status ${status}${says}` : text;
    return make('NOT_FOUND', `not found (${reason})`, advice);
  }
  if (status === 401 || status === 403) {
    const whose = isRedirected ? `by ${host}` : identity;
    const why = `not allowed ${whose} (status ${status}${says})${scopesAsked(response)}`;
    return make('DENIED', why, deniedAdvice(status, context));
  }
  if (status === 413) {
    const why = `the registry says that it is too large (status 413${says})`;
    return make(
      'FAILED',
      why,
      'configure the registry, or the proxy in front of it, to accept larger requests',
    );
  }
  if (status === 507) {
    const why = `the registry has no space for it (status 507${says})`;
    return make('FAILED', why, 'free some space in the registry, or raise its quota');
  }
  if (status >= 200 && status < 400) {
    const why = `${host} returned status ${status}${says}, which is not a valid response to this request`;
    return make('FAILED', why, NAME_ADVICE);
  }
  const isInvalid = purpose === 'write' && cause.codes.includes('MANIFEST_INVALID');
  const advice: Advice = isInvalid ? { reason: 'manifest-invalid' } : UNEXPECTED;
  return make('FAILED', `${host} returned status ${status}${says}`, advice);
}

/** Whether an answer limits the rate of requests. */
function isRateLimit(response: HttpResponse): boolean {
  return response.status === 429 || isSecondaryLimit(response);
}

/**
 * Whether an answer is a transient failure. 501 is not: the registry does not implement the
 * request; nor is 507: it is full.
 */
export function isUnavailable(response: HttpResponse): boolean {
  const { status } = response;
  return isRateLimit(response) || status === 408 || (status >= 500 && !FINAL.has(status));
}

/**
 * Whether an answer to HEAD says nothing about what it asks for: some registries and proxies refuse
 * every HEAD, with statuses of their own (RFC 9110, 9.3.2, which they ignore). GET decides then.
 */
export function isHeadRefused({ status }: HttpResponse): boolean {
  return HEAD_REFUSED.has(status) || (isSuccess(status) && status !== 200);
}

const HEAD_REFUSED = new Set([400, 403, 405, 410, 501]);

/** Statuses of a server that mean the same at the next attempt. */
const FINAL = new Set([501, 507]);

/** A hint, or a reason for which the command line has one. */
type Advice = string | Pick<ErrorDetails, 'reason' | 'data'>;

const UNEXPECTED: Advice = { reason: 'answer-unexpected' };
const NAME_ADVICE = 'check the name and the port of the registry';

/** How registries say that a tag cannot be moved; they use different statuses for it. */
const IMMUTABLE = new RegExp(
  [
    'immutab',
    'ImageTagAlreadyExists',
    'already exists',
    'cannot be (overwritten|updated|modified)',
    'not allow(ed)? (to overwrite|overwriting|updating)',
    String.raw`\block(ed|s)?\b`,
  ].join('|'),
  'i',
);
const IMMUTABLE_STATUS = new Set([400, 403, 405, 409, 412, 423]);
/** A user who is locked out is denied, not the tag. */
const LOCKED_OUT = /\b(account|user)\b[^.;]*\blocked\b/i;

/**
 * Whether a registry refuses to move a tag. Its body counts in any form but that of a page, which
 * is not the registry's own.
 */
function isImmutable(response: HttpResponse, { status, words }: RegistryError): boolean {
  if (!IMMUTABLE_STATUS.has(status) || isWebPage(response)) return false;
  return IMMUTABLE.test(words) && !LOCKED_OUT.test(words);
}

/** Whether the repository is not made by the first push to it, as with ECR by default. */
function lacksRepository({ status, codes }: RegistryError): boolean {
  return status === 404 && codes.includes('NAME_UNKNOWN');
}

/** Codes for content that a manifest names and the registry does not hold. */
const MISSING = new Set(['MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'NOT_FOUND']);

/**
 * What a registry lacks to store a manifest (OCI distribution-spec, Pushing Manifests); undefined
 * if its answer does not say so.
 */
function missingPart({ status, codes, text }: RegistryError) {
  if ((status === 400 || status === 404) && codes.some((code) => MISSING.has(code))) {
    const why = `the registry lacks content that it refers to (${text || `status ${status}`})`;
    return { code: 'INCOMPLETE', why, advice: { reason: 'named-content-missing' } } as const;
  }
  return undefined;
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
    ? `${check}, or log in: private repositories look missing without credentials`
    : `${check}, and that this user has access to the repository`;
}

function rateAdvice(response: HttpResponse, context: RequestContext): Advice {
  if (isUnauthenticated(context))
    return 'wait, or log in: registries grant authenticated users higher limits';
  return isLongWait(response, Date.now()) ? WAIT_ADVICE : 'wait before you try again';
}

/** The scopes that the registry wants in the token, if it names any. */
function scopesAsked(response: HttpResponse): string {
  const scopes = parseChallenges(response.headers.all('www-authenticate')).flatMap((challenge) =>
    parseScopes(challenge.parameters.get('scope') ?? ''),
  );
  return scopes.length === 0 ? '' : `; required scope: ${scopes.map(formatScope).join(' ')}`;
}

function deniedAdvice(status: number, context: RequestContext): Advice {
  const { host, isRedirected } = context;
  // The address of storage is signed, and valid for a time.
  if (isRedirected) return 'try again: the address that the registry gave may have expired';
  if (isUnauthenticated(context)) return { reason: 'login-required', data: { host } };
  if (status === 401) return { reason: 'credentials-rejected', data: { host } };
  return 'the repository may not exist, or this user may lack permission';
}

function readErrors(response: HttpResponse): { errors: RegistryErrorEntry[]; text: string } {
  const errors = errorList(response);
  // A body of another form is not shown: it may echo the request with its credentials, as that of
  // S3 does.
  if (errors === undefined) return { errors: [], text: isWebPage(response) ? 'a web page' : '' };
  // Not cut here but after redaction: a part of a secret would not be recognized.
  return { errors, text: errors.map(formatError).join('; ') };
}

/** `CODE: message (detail)`, without what is missing. */
function formatError({ code, message, detail }: RegistryErrorEntry): string {
  const says = [code, message].filter((part) => part !== '').join(': ');
  if (detail === '') return says;
  return says === '' ? detail : `${says} (${detail})`;
}

function errorList({ body }: HttpResponse): RegistryErrorEntry[] | undefined {
  const json = tryParse(Buffer.from(body).toString());
  const list = isJsonObject(json) ? json.get('errors') : undefined;
  if (!Array.isArray(list)) return undefined;
  return (list as JsonValue[]).filter(isJsonObject).map((error) => {
    const message = asString(error.get('message'));
    const detail = formatDetail(error.get('detail'), MAX_DETAIL_DEPTH);
    return {
      code: asString(error.get('code')),
      message,
      detail: message.includes(detail) ? '' : detail,
    };
  });
}

/** How deep a detail is shown: registries send objects in lists. */
const MAX_DETAIL_DEPTH = 4;

/** A detail, which may be any JSON (OCI distribution-spec, Error Codes): `Tag: 1.0, Name: a/b`. */
function formatDetail(value: JsonValue | undefined, depth: number): string {
  if (value === undefined || value === null || depth === 0) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const items = (value as JsonValue[]).map((item) => formatDetail(item, depth - 1));
    return items.filter((item) => item !== '').join('; ');
  }
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === 'boolean') return String(value);
  return [...(value as JsonObject)]
    .map(([name, member]) => [name, formatDetail(member, depth - 1)])
    .filter(([, member]) => member !== '')
    .map((pair) => pair.join(': '))
    .join(', ');
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
