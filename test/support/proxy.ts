import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** When it had arrived in full, in milliseconds of `performance.now()`. */
  readonly time: number;
  /** The connection that it came over, and when that was opened. */
  readonly connection: Connection;
  /** What the client was told; undefined while there is no answer, and where the connection was cut before one. */
  status: number | undefined;
  /** When the answer was out, or the connection was cut. */
  end: number | undefined;
}

/** `opened` is in milliseconds of `performance.now()`. */
export interface Connection {
  readonly opened: number;
}

/** What happens to a request instead of being passed on. */
export type Fault =
  | {
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: string | Uint8Array;
    }
  /** Cut off before the registry has seen it. */
  | 'reset-before'
  /** Cut off when the registry has done it. */
  | 'reset-after'
  /** Half of the answer's body, then cut off. */
  | 'truncate'
  /** One byte of the answer's body changed. */
  | 'corrupt'
  /** Passed on, later. */
  | { readonly delayMs: number }
  /** Passed on when this has happened. */
  | { readonly after: Promise<void> };

/** Called for each request with its number, from 0; undefined passes it on untouched. */
export type Intercept = (request: RecordedRequest, index: number) => Fault | undefined;

export interface RecordingProxy {
  readonly host: string;
  readonly url: string;
  /** All requests, in the order of their arrival; may be emptied between tests. */
  readonly requests: RecordedRequest[];
  /** How many connections are in a TLS handshake. */
  handshakes(): number;
  /** May be set anew at any time. */
  intercept: Intercept | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a reverse proxy before a registry (plain HTTP) that records all requests, and makes the faults asked for. With `tls` its own
 * clients have to speak TLS (PEM).
 */
export async function startRecordingProxy(
  targetHost: string,
  intercept?: Intercept,
  tls?: { readonly key: string; readonly cert: string },
): Promise<RecordingProxy> {
  const agent = new Agent({ keepAlive: true });
  let count = 0;

  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
  /** By the port of the client: what a request comes from with TLS is not the socket that was opened. */
  const connections = new Map<number | undefined, Connection>();
  const handshaking = new Set<number | undefined>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    connections.set(remotePort, { opened: performance.now() });
    if (tls === undefined) return;
    handshaking.add(remotePort);
    socket.once('close', () => handshaking.delete(remotePort));
  });
  server.on('secureConnection', ({ remotePort }: Socket) => handshaking.delete(remotePort));
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: RecordingProxy = {
    host,
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    requests: [],
    handshakes: () => handshaking.size,
    intercept,
    async stop() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming;
    const body = await bytesOf(incoming);
    const time = performance.now();
    const record: RecordedRequest = {
      method,
      url,
      headers,
      body,
      time,
      connection: connections.get(incoming.socket.remotePort)!,
      status: undefined,
      end: undefined,
    };
    const index = count;
    count += 1;
    proxy.requests.push(record);
    response.once('close', () => {
      record.end = performance.now();
    });
    const fault = proxy.intercept?.(record, index);

    if (fault === 'reset-before') return void incoming.socket.destroy();
    if (typeof fault === 'object' && 'status' in fault) {
      record.status = fault.status;
      const bytes = Buffer.from(fault.body ?? '');
      // The answer to HEAD tells the length that a GET would have.
      return send(
        response,
        fault.status,
        { ...fault.headers, 'content-length': bytes.length },
        bytes,
      );
    }
    if (typeof fault === 'object') await ('after' in fault ? fault.after : sleep(fault.delayMs));

    const answer = await forward(agent, targetHost, incoming, body);
    if (fault === 'reset-after') return void incoming.socket.destroy();
    record.status = answer.status;
    if (fault === 'truncate') {
      response.writeHead(answer.status, {
        ...answer.headers,
        'content-length': answer.body.length,
      });
      response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)), () =>
        incoming.socket.destroy(),
      );
      return;
    }
    if (fault === 'corrupt' && answer.body.length > 0) {
      const middle = Math.floor(answer.body.length / 2);
      answer.body[middle] = answer.body[middle]! ^ 1;
    }
    send(response, answer.status, answer.headers, answer.body);
  }

  return proxy;
}

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** The Host header stays that of the client: the registry makes its Locations of it, which so lead back here. */
function forward(
  agent: Agent,
  targetHost: string,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<Answer> {
  const { connection: _, 'transfer-encoding': __, ...headers } = incoming.headers;
  const withBody = body.length > 0 || incoming.headers['transfer-encoding'] !== undefined;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: targetHost.slice(0, targetHost.lastIndexOf(':')),
        port: targetHost.slice(targetHost.lastIndexOf(':') + 1),
        method: incoming.method,
        path: incoming.url,
        headers: withBody ? { ...headers, 'content-length': body.length } : headers,
        agent,
      },
      (response) => {
        const { connection: ___, 'transfer-encoding': ____, ...answered } = response.headers;
        bytesOf(response).then(
          (bytes) => resolve({ status: response.statusCode ?? 0, headers: answered, body: bytes }),
          reject,
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function send(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: Buffer,
): void {
  response.writeHead(status, headers);
  response.end(body);
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
