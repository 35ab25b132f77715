import type { HttpResponse, Transport } from './request.js';

/** All warnings of one registry together, in bytes (OCI distribution-spec, Warnings). */
const MAX_WARNINGS_SIZE = 4096;

/** `299 - "text"`, the one form that the specification knows; quotes and backslashes in the text are escaped. */
const WARNING = /^299 - "((?:[^"\\]|\\.)*)"$/;

/**
 * Tells of what a registry wants the user to know, each text once and no more than the specification allows. It is remote text: told,
 * never acted on.
 */
export function withWarnings(next: Transport, warn: (text: string) => void): Transport {
  const seen = new Set<string>();
  let size = 0;
  const tell = (value: string): void => {
    const text = WARNING.exec(value.trim())?.[1]?.replaceAll(/\\(.)/g, '$1');
    if (text === undefined || seen.has(text)) return;
    size += Buffer.byteLength(text);
    if (size > MAX_WARNINGS_SIZE) return;
    seen.add(text);
    warn(text);
  };
  return async (request) => {
    const response: HttpResponse = await next(request);
    for (const value of response.headers.all('warning')) tell(value);
    return response;
  };
}
