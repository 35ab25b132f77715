import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Sockets } from '../../../../src/http/connect/sockets.js';

test('a socket that is added after the end is closed at once, and its error is ignored', () => {
  const sockets = new Sockets();
  const before = new Socket();
  sockets.add(before);
  expect(before.destroyed).toBe(false);
  sockets.destroy();
  expect(before.destroyed).toBe(true);
  const after = new Socket();
  sockets.add(after);
  expect(after.destroyed).toBe(true);
  expect(() => after.emit('error', new Error('late'))).not.toThrow();
});
