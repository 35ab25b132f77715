import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { makeAuthority, type Authority } from './support/authority.js';
import { FakeRegistry } from './support/fake-registry.js';
import { Folder } from './support/files.js';
import { startScripted } from './support/scripted.js';

const folder = new Folder();
let authority: Authority;
let tls: https.Server;
let front: net.Server;
let registry: FakeRegistry;
/** First bytes of the connections that were closed. */
let turnedAway: number;

beforeAll(async () => {
  authority = await makeAuthority(folder.path);
});

/** A registry in TLS that closes every connection which does not begin with a handshake. */
beforeEach(async () => {
  registry = new FakeRegistry();
  registry.addImage('x', '1');
  turnedAway = 0;
  const { key, cert } = authority.server;
  tls = https.createServer({ key, cert }, (request, response) => {
    const { method = '', url = '', headers } = request;
    const { pathname, searchParams } = new URL(url, 'https://registry');
    const answer = registry.answer({
      method,
      url,
      path: pathname,
      query: searchParams,
      headers,
      body: Buffer.alloc(0),
      time: 0,
      hasClientCertificate: false,
    });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  front = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      if (data[0] !== 0x16) {
        turnedAway += 1;
        return socket.destroy();
      }
      socket.pause();
      socket.unshift(data);
      tls.emit('connection', socket);
      return undefined;
    });
  });
  await new Promise<void>((resolve) => {
    front.listen(0, '127.0.0.1', resolve);
  });
});

afterEach(() => {
  tls.closeAllConnections();
  front.close();
});

const inspect = (...options: string[]): Promise<CliResult> => {
  const { port } = front.address() as AddressInfo;
  return runCli(['inspect', `127.0.0.1:${port}/x:1`, ...options], {
    env: { SSL_CERT_FILE: authority.caFile },
  });
};

it.each([[], ['--retry', '0']])(
  'a TLS server that just closes plain connections is spoken to in TLS (%s)',
  async (...options) => {
    expectCode(await inspect(...options), 0);
    expect(turnedAway).toBeGreaterThan(0);
  },
);

it('a plain server that closes connections is tried as often as ever', async () => {
  const server = await startScripted(() => 'reset');
  try {
    const result = await runCli(['inspect', '--retry-delay', '5ms', `${server.host}/x:1`]);
    expectCode(result, 5);
    expect(result.stderr).toContain('(5 attempts)');
    expect(server.requests).toHaveLength(5);
  } finally {
    await server.stop();
  }
});
