import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ScriptedTls, Reply, Seen } from './scripted.js';

/** A request as it came: what is to become of it. */
export interface Exchange {
  readonly request: Seen;
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
  /** Which it is of its connection, and of all, counted from 1. */
  readonly ofSession: number;
  readonly ofAll: number;
  /** Answers it rightly. */
  answer(): void;
}

export interface Http2Scripted {
  readonly host: string;
  readonly requests: Seen[];
  /** How many connections there were. */
  sessions: number;
  /** How many requests of HTTP/1.1 there were. */
  http1: number;
  /** The most requests that were being answered at a moment. */
  peak: number;
  script: (exchange: Exchange) => void;
  stop(): Promise<void>;
}

/** Starts a server on 127.0.0.1 that speaks HTTP/2, in TLS, and with `allowHTTP1` HTTP/1.1 as well, to which it always answers rightly. */
export async function startHttp2(
  reply: (request: Seen) => Reply,
  { key, cert }: ScriptedTls,
  options: { readonly settings?: Settings; readonly allowHTTP1?: boolean } = {},
): Promise<Http2Scripted> {
  const server: Http2Server = http2.createSecureServer({ key, cert, ...options });
  const open = new Set<ServerHttp2Session>();
  const counts = new Map<unknown, number>();
  let active = 0;
  server.on('session', (session) => {
    scripted.sessions += 1;
    open.add(session);
    session.on('error', () => undefined);
    session.on('close', () => open.delete(session));
  });
  server.on('request', (incoming, response) => {
    if (incoming.httpVersionMajor === 2) return;
    const { method, url, headers } = incoming;
    const request = seen({ ...headers, ':method': method, ':path': url }, Buffer.alloc(0));
    const { status, headers: fields, body = '' } = reply(request);
    scripted.http1 += 1;
    response.writeHead(status, { ...fields, 'content-length': Buffer.byteLength(body) });
    response.end(method === 'HEAD' ? '' : body);
  });
  server.on('stream', (stream, headers) => {
    active += 1;
    scripted.peak = Math.max(scripted.peak, active);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      active -= 1;
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const request = seen(headers, Buffer.concat(chunks));
      scripted.requests.push(request);
      const session = stream.session as ServerHttp2Session;
      const ofSession = (counts.get(session) ?? 0) + 1;
      counts.set(session, ofSession);
      const exchange = { request, stream, session, ofSession, ofAll: scripted.requests.length };
      scripted.script({ ...exchange, answer: () => answer(stream, request, reply(request)) });
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const scripted: Http2Scripted = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    sessions: 0,
    http1: 0,
    peak: 0,
    script: (exchange) => exchange.answer(),
    async stop() {
      for (const session of open) session.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
  return scripted;
}

function seen(headers: IncomingHttpHeaders, body: Buffer): Seen {
  const url = headers[':path'] ?? '';
  const { pathname, searchParams } = new URL(url, 'http://scripted');
  return {
    method: headers[':method'] ?? '',
    url,
    path: pathname,
    query: searchParams,
    headers,
    body,
    time: performance.now(),
    hasClientCertificate: false,
  };
}

function answer(stream: ServerHttp2Stream, { method }: Seen, reply: Reply): void {
  if (stream.destroyed) return;
  const bytes = Buffer.from(reply.body ?? '');
  stream.respond({ ':status': reply.status, 'content-length': bytes.length, ...reply.headers });
  stream.end(method === 'HEAD' ? undefined : bytes);
}
