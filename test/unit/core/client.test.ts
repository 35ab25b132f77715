import net, { type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient, type Client } from '../../../src/core/client.js';
import { parseReference } from '../../../src/oci/reference.js';

/** A server that counts connections and what comes over them, and never answers. */
let server: net.Server;
let sockets: Socket[];
let received: string;
let client: Client;

beforeEach(async () => {
  sockets = [];
  received = '';
  server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => (received += bytes.toString()));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterEach(async () => {
  await client.close();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function reference(): ReturnType<typeof parseReference> {
  return parseReference(`127.0.0.1:${(server.address() as AddressInfo).port}/app:1`);
}

/** Resolves when `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each([
  ['plain HTTP', { plainHttp: true }],
  ['TLS', { insecure: true }],
])('close() of a client of a registry in %s', (_, options) => {
  it('fails what is under way, and closes every connection', async () => {
    client = createClient({ ...options, env: {} });
    const store = await client.open(reference(), 'pull');
    const reading = store.getManifest('1');
    reading.catch(() => undefined);
    await until(() => received !== '');
    await client.close();
    await expect(reading).rejects.toMatchObject({
      code: 'INTERRUPTED',
      why: 'the client was closed',
    });
    await until(() => sockets.every(({ destroyed }) => destroyed));
  });

  it('closes connections that were only begun', async () => {
    client = createClient({ ...options, env: {} });
    await client.open(reference(), 'pull');
    await client.close();
    const getConnections = (): Promise<number> =>
      new Promise((resolve) => server.getConnections((__, count) => resolve(count)));
    while ((await getConnections()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(received).toBe('');
  });

  it('closes a registry that is being opened', async () => {
    client = createClient({ ...options, env: {} });
    const opening = client.open(reference(), 'pull');
    await client.close();
    const store = await opening;
    await expect(store.getManifest('1')).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(received).toBe('');
  });

  it('lets nothing be opened or sent afterwards', async () => {
    client = createClient({ ...options, env: {} });
    const store = await client.open(reference(), 'pull');
    await client.close();
    const before = sockets.length;
    await expect(store.getManifest('1')).rejects.toMatchObject({
      code: 'INTERRUPTED',
      why: 'the client was closed',
    });
    await expect(client.open(reference(), 'push')).rejects.toMatchObject({
      code: 'USAGE',
      why: 'the client is closed',
    });
    expect(sockets.length).toBe(before);
    expect(received).toBe('');
  });
});

it('a client that cannot be loaded closes the connection that it began, and can be closed', async () => {
  const fault = new Error('no memory');
  client = createClient({
    plainHttp: true,
    onLoad() {
      throw fault;
    },
  });
  await expect(client.open(reference(), 'pull')).rejects.toBe(fault);
  await until(() => sockets.length > 0 && sockets.every(({ destroyed }) => destroyed));
  await client.close();
  expect(received).toBe('');
});

it('close() can be called again', async () => {
  client = createClient({ plainHttp: true });
  await client.open(reference(), 'pull');
  expect(client.close()).toBe(client.close());
  await client.close();
});
