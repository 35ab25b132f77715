import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** When it had arrived in full, in milliseconds since the proxy was started. */
  readonly time: number;
  /** What the client was told; undefined while there is no answer, and where the connection was cut before one. */
  status: number | undefined;
  /** When the answer was out, or the connection was cut. */
  end: number | undefined;
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
  | { readonly delayMs: number };

/** Called for each request with its number, from 0; undefined passes it on untouched. */
export type Intercept = (request: RecordedRequest, index: number) => Fault | undefined;

export interface RecordingProxy {
  readonly host: string;
  readonly url: string;
  /** All requests, in the order of their arrival; may be emptied between tests. */
  readonly requests: RecordedRequest[];
  /** May be set anew at any time. */
  intercept: Intercept | undefined;
  stop(): Promise<void>;
}

/** Starts a reverse proxy before a registry (plain HTTP) that records all requests, and makes the faults asked for. */
export async function startRecordingProxy(
  targetHost: string,
  intercept?: Intercept,
): Promise<RecordingProxy> {
  const agent = new Agent({ keepAlive: true });
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let count = 0;

  const server = createServer((incoming, response) => {
    handle(incoming, response).catch(() => incoming.socket.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: RecordingProxy = {
    host,
    url: `http://${host}`,
    requests: [],
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
    const time = elapsed();
    const record: RecordedRequest = {
      method,
      url,
      headers,
      body,
      time,
      status: undefined,
      end: undefined,
    };
    const index = count;
    count += 1;
    proxy.requests.push(record);
    response.once('close', () => {
      record.end = elapsed();
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
    if (typeof fault === 'object') await sleep(fault.delayMs);

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
