import type { Layer } from './request.js';

/** Largest size of all warnings of one registry, in bytes (OCI distribution-spec, Warnings). */
const MAX_TOTAL_BYTES = 4096;

/** `299 - "text"`, the only form in the specification; quotes and backslashes in the text are escaped. */
const WARNING = /^299 - "((?:[^"\\]|\\.)*)"$/;

/** Reports the warnings of a registry, each once: remote text, which is never acted on. */
export function warnings(onWarning: (text: string) => void): Layer {
  const seen = new Set<string>();
  let bytes = 0;
  const report = (value: string): void => {
    const text = WARNING.exec(value.trim())?.[1]?.replaceAll(/\\(.)/g, '$1');
    if (text === undefined || seen.has(text)) return;
    bytes += Buffer.byteLength(text);
    if (bytes > MAX_TOTAL_BYTES) return;
    seen.add(text);
    onWarning(text);
  };
  return async (request, next) => {
    const response = await next(request);
    for (const value of response.headers.all('warning')) report(value);
    return response;
  };
}
