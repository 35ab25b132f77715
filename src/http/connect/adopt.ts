import type { Socket } from 'node:net';
import type { buildConnector as Connectors } from 'undici';
import util from 'undici/lib/core/util.js';
import type { Begun } from './early-connections.js';

/** As undici sets it for connections that it opens. */
const KEEP_ALIVE_MS = 60_000;

/**
 * Makes a connection of TCP that is being opened, or stands, the one that undici asks for: what undici's own connector would do after it has
 * opened one.
 */
export async function adopt(
  { socket, opened }: Begun,
  options: Connectors.Options,
  connect: Connectors.connector,
  timeoutMs: number,
  callback: Connectors.Callback,
): Promise<void> {
  const { hostname, port, protocol } = options;
  // Fails with undici's error for it.
  const stopWaiting = util.setupConnectTimeout(new WeakRef(socket), {
    timeout: timeoutMs,
    hostname,
    port: Number(port),
  });
  try {
    await opened;
  } catch (error) {
    callback(error as Error, null);
    return;
  } finally {
    stopWaiting();
  }
  if (!isUsable(socket)) connect(options, callback);
  else if (protocol === 'https:') connect({ ...options, httpSocket: socket }, callback);
  else callback(null, socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true));
}

/** Whether a connection that nobody used so far still stands. */
export function isUsable(socket: Socket): boolean {
  return !socket.destroyed && !socket.readableEnded && socket.writable;
}
