import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { EarlyConnection } from '../../../../src/http/connect/warm-up.js';

test('an early connection that nothing owns is closed on demand', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const accepted = new Promise<Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const early = new EarlyConnection(new URL(`http://127.0.0.1:${port}`));
  await early.begun();
  const socket = await accepted;
  const ended = new Promise((resolve) => {
    socket.resume().once('close', resolve);
  });
  early.destroy();
  expect(early.socket.destroyed).toBe(true);
  await ended;
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
