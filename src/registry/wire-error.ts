import { isJsonObject, parseJson, type JsonValue } from '../oci/json/parse.js';
import type { HttpResponse } from '../http/request.js';

/** How much of a body tells whether it is a web page, in bytes. */
const PAGE_START = 1024;

/** What a registry said instead of doing what it was asked: the status, its own error codes and text (OCI distribution-spec, Error Codes). */
export class WireError extends Error {
  readonly status: number;
  readonly codes: readonly string[];
  /** The registry's own words; remote text, to be escaped before it is shown. */
  readonly text: string;

  constructor(response: HttpResponse) {
    const { codes, text } = readErrors(response);
    super(`status ${response.status}${text === '' ? '' : ` (${text})`}`);
    this.status = response.status;
    this.codes = codes;
    this.text = text;
  }
}

/** Whether the answer is a web page: then this is no registry, whatever its status says. */
export function isWebPage(response: HttpResponse): boolean {
  const type = response.headers.first('content-type') ?? '';
  return /^text\/html\b/i.test(type) || /^\s*<(!doctype|html)/i.test(bodyStart(response));
}

function bodyStart(response: HttpResponse): string {
  return Buffer.from(response.body.subarray(0, PAGE_START)).toString();
}

function readErrors(response: HttpResponse): { codes: string[]; text: string } {
  const errors = errorList(response);
  // A body of another form is not shown: it may echo the request with its credentials (S3 does).
  if (errors === undefined) return { codes: [], text: isWebPage(response) ? 'a web page' : '' };
  const codes = errors.flatMap((error) => (typeof error.code === 'string' ? [error.code] : []));
  const text = errors
    .map(({ code, message }) => [code, message].filter((part) => part !== undefined).join(': '))
    .join('; ');
  // It is cut where it is shown, after secrets were taken out of it: half of one would not be found.
  return { codes, text };
}

function errorList(response: HttpResponse): { code?: string; message?: string }[] | undefined {
  const json = tryParse(Buffer.from(response.body).toString());
  const list = isJsonObject(json) ? json.get('errors') : undefined;
  if (!Array.isArray(list)) return undefined;
  return (list as JsonValue[]).filter(isJsonObject).map((error) => ({
    ...asText('code', error.get('code')),
    ...asText('message', error.get('message')),
  }));
}

function asText<K extends string>(key: K, value: JsonValue | undefined): { [P in K]?: string } {
  return typeof value === 'string' && value !== ''
    ? ({ [key]: value } as { [P in K]?: string })
    : {};
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
