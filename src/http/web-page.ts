import type { HttpResponse } from './request.js';

/** How much of a body shows whether it is a web page, in bytes. */
const MAX_PAGE_START = 1024;

/**
 * Whether the body of an answer is a web page. The type alone does not say so: some registries send
 * JSON as text/html.
 */
export function isWebPage({ headers, body }: HttpResponse): boolean {
  const start = Buffer.from(body.subarray(0, MAX_PAGE_START)).toString().trimStart();
  if (/^[[{]/.test(start)) return false;
  const type = headers.first('content-type') ?? '';
  return /^text\/html\b/i.test(type) || /^<(!doctype|html)/i.test(start);
}
