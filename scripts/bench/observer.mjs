import { MessageReader } from './http-messages.mjs';

/**
 * A request as its client sees it; times in milliseconds of `performance.now()`.
 * @typedef {{ method: string, url: string, start: number, end: number | undefined, status: number | undefined }} Seen
 */

/**
 * Observes both directions of one connection and records its requests.
 * @param {Seen[]} seen receives the requests, in the order in which they were sent
 */
export function observe(seen) {
  /** @type {Seen[]} Those without an answer; HTTP/1.1 answers in order. */
  const open = [];
  const requests = new MessageReader({
    onHead(line, field) {
      const [method = '', url = ''] = line.split(' ');
      const request = { method, url, start: performance.now(), end: undefined, status: undefined };
      open.push(request);
      seen.push(request);
      return lengthOf(field) ?? 0;
    },
    onEnd() {},
  });
  let isInterim = false;
  const answers = new MessageReader({
    onHead(line, field) {
      const status = Number(line.split(' ')[1]);
      isInterim = status < 200;
      const [request] = open;
      if (request !== undefined && !isInterim) request.status = status;
      const isBare = isInterim || status === 204 || status === 304 || request?.method === 'HEAD';
      return isBare ? 0 : (lengthOf(field) ?? 'until-close');
    },
    onEnd() {
      const request = isInterim ? undefined : open.shift();
      if (request !== undefined) request.end = performance.now();
    },
  });
  return { requests, answers };
}

/** @param {(name: string) => string | undefined} field */
function lengthOf(field) {
  if (/\bchunked$/i.test(field('transfer-encoding') ?? '')) return 'chunked';
  const length = field('content-length');
  return length === undefined ? undefined : Number(length);
}
