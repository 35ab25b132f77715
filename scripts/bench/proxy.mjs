import { connect, createServer } from 'node:net';
import { carry } from './carry.mjs';
import { observe } from './observer.mjs';

/**
 * @typedef {object} DelayProxy
 * @property {string} host `NAME:PORT`
 * @property {import('./observer.mjs').Seen[]} requests all requests, in the order in which they were sent
 * @property {number} connections how many connections were opened
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a TCP proxy that adds a latency of `rttMs` to a local server: half of it in each
 * direction, and one round trip to connect. It changes no bytes, so Location headers of a registry
 * lead back to the proxy, and it records the HTTP/1.1 requests.
 * @param {string} target `127.0.0.1:PORT`
 * @param {number} rttMs
 * @param {string} [name] its name in `host`
 * @returns {Promise<DelayProxy>}
 */
export async function startDelayProxy(target, rttMs, name = '127.0.0.1') {
  const [, port] = target.split(':');
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  /** @type {import('./observer.mjs').Seen[]} */
  const requests = [];

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    proxy.connections += 1;
    const far = connect({ host: '127.0.0.1', port: Number(port), allowHalfOpen: true });
    far.setNoDelay(true);
    const watcher = observe(requests);
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('error', () => far.destroy());
    far.on('error', () => client.destroy());
    client.on('close', () => far.destroy());
    const delayMs = rttMs / 2;
    // The kernel has already accepted the connection; over the link this takes a round trip.
    const openAt = performance.now() + rttMs;
    carry(client, far, { delayMs, openAt, onSent: (bytes) => watcher.requests.read(bytes) });
    carry(far, client, { delayMs, onArrived: (bytes) => watcher.answers.read(bytes) });
    far.on('end', () => watcher.answers.close());
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(undefined));
  });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());

  const proxy = {
    host: `${name}:${address.port}`,
    requests,
    connections: 0,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return proxy;
}
