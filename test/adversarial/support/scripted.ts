import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** A request as a scripted server saw it. */
export interface Seen {
  readonly method: string;
  /** As it stands in the request line. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** When it had arrived in full, in milliseconds of the monotonic clock. */
  readonly time: number;
  /** Whether the client showed a certificate. */
  readonly hasClientCertificate: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

/** What becomes of a request: an answer, a cut connection, nothing at all, or what a function makes of it. */
export type Answer = Reply | 'reset' | 'hang' | ((response: http.ServerResponse) => void);

export type Script = (request: Seen) => Answer | Promise<Answer>;

export interface ScriptedServer {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** All requests, in the order of their arrival. */
  readonly requests: Seen[];
  /** May be set anew at any time. */
  script: Script;
  stop(): Promise<void>;
}

export interface ScriptedTls {
  readonly key: string;
  readonly cert: string;
  /** The authority of clients; with it, a certificate of the client is asked for. */
  readonly clientCa?: string;
  /** Clients without a certificate are turned away. */
  readonly demandsClient?: boolean;
}

/** Starts a server on 127.0.0.1 that answers as the script says and records what it is asked. */
export async function startScripted(script: Script, tls?: ScriptedTls): Promise<ScriptedServer> {
  const listener = (incoming: http.IncomingMessage, response: http.ServerResponse): void => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  };
  const server =
    tls === undefined
      ? http.createServer({ maxHeaderSize: 65_536 }, listener)
      : https.createServer(
          {
            maxHeaderSize: 65_536,
            key: tls.key,
            cert: tls.cert,
            ca: tls.clientCa,
            requestCert: tls.clientCa !== undefined,
            rejectUnauthorized: tls.demandsClient ?? false,
          },
          listener,
        );
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const scripted: ScriptedServer = {
    host: `127.0.0.1:${port}`,
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests: [],
    script,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };

  async function handle(
    incoming: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const { method = '', url = '', headers, socket } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(url, 'http://scripted');
    const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.();
    const seen: Seen = {
      method,
      url,
      path: pathname,
      query: searchParams,
      headers,
      body: Buffer.concat(chunks),
      time: performance.now(),
      hasClientCertificate: certificate !== undefined && Object.keys(certificate).length > 0,
    };
    scripted.requests.push(seen);
    const answer = await scripted.script(seen);
    if (answer === 'hang') return;
    if (answer === 'reset') return void socket.destroy();
    if (typeof answer === 'function') return answer(response);
    const bytes = Buffer.from(answer.body ?? '');
    response.writeHead(answer.status, { 'content-length': bytes.length, ...answer.headers });
    response.end(method === 'HEAD' ? undefined : bytes);
  }

  return scripted;
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers?: http.OutgoingHttpHeaders): Reply {
  const body = JSON.stringify(value);
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** An answer with an error as registries write it. */
export function failure(
  status: number,
  code: string,
  message: string,
  headers?: http.OutgoingHttpHeaders,
): Reply {
  return json(status, { errors: [{ code, message }] }, headers);
}
