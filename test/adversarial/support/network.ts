import http from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';

/** What was asked of the proxy. */
export interface ProxyCall {
  readonly kind: 'connect' | 'forward';
  /** `host:port`. */
  readonly target: string;
  readonly headers: http.IncomingHttpHeaders;
}

export interface Network {
  /** `http://127.0.0.1:PORT`, for HTTPS_PROXY and HTTP_PROXY. */
  readonly proxy: string;
  /** Variables that lead everything through the proxy. */
  readonly env: Readonly<Record<string, string>>;
  readonly calls: ProxyCall[];
  /** Ports of 127.0.0.1 by `host:port`; what is not in it cannot be reached. */
  readonly hosts: Map<string, number>;
  /** The Proxy-Authorization that it wants; undefined takes everybody. */
  wants: string | undefined;
  stop(): Promise<void>;
}

/** Starts a proxy that is the whole internet to a test: it resolves names that no resolver knows. */
export async function startNetwork(hosts: Readonly<Record<string, number>>): Promise<Network> {
  const sockets = new Set<Socket>();
  const server = http.createServer((incoming, response) => forward(incoming, response));
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (incoming: http.IncomingMessage, socket: Socket, head: Buffer) => {
    const target = incoming.url ?? '';
    network.calls.push({ kind: 'connect', target, headers: incoming.headers });
    if (network.wants !== undefined && incoming.headers['proxy-authorization'] !== network.wants) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const port = network.hosts.get(target);
    if (port === undefined) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const network: Network = {
    proxy,
    env: { HTTPS_PROXY: proxy, HTTP_PROXY: proxy },
    calls: [],
    hosts: new Map(Object.entries(hosts)),
    wants: undefined,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };

  /** Plain HTTP, by the whole URL. */
  function forward(incoming: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(incoming.url ?? '', 'http://nowhere');
    const target = `${url.hostname}:${url.port || '80'}`;
    network.calls.push({ kind: 'forward', target, headers: incoming.headers });
    if (network.wants !== undefined && incoming.headers['proxy-authorization'] !== network.wants)
      return void response.writeHead(407).end();
    const port = network.hosts.get(target);
    if (port === undefined) return void response.writeHead(502).end();
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const path = url.pathname + url.search;
    const outgoing = http.request(
      { port, host: '127.0.0.1', method: incoming.method, path, headers, agent: false },
      (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      },
    );
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  }

  return network;
}
