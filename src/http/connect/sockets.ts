import type { Socket } from 'node:net';
import type { buildConnector as Connectors } from 'undici';

/**
 * Owner of all sockets of a client, from the moment each begins to connect.
 *
 * undici closes the connections that its pools were given, but not those that are still connecting
 * or shaking hands, nor spare ones: they would keep the process alive until they time out.
 */
export class Sockets {
  /** Each socket with the one below it that it took over for TLS. */
  private readonly open = new Map<Socket, Socket | undefined>();
  private isClosed = false;

  /** Owns a socket until it closes; closes it at once after `destroy`. */
  add(socket: Socket, below?: Socket): void {
    if (this.isClosed) {
      socket.on('error', ignore).destroy();
      return;
    }
    this.open.set(socket, below);
    readBeforeFailure(socket);
    socket.once('close', () => this.open.delete(socket));
  }

  /** Hands a socket, and the one below it, over to another owner. */
  release(socket: Socket): void {
    const below = this.open.get(socket);
    this.open.delete(socket);
    if (below !== undefined) this.release(below);
  }

  /** A connector whose sockets are all owned here. */
  ownedBy(connect: Connectors.connector): Connectors.connector {
    return (options, callback) => {
      // undici's connector returns the socket at once, which its type does not say.
      const socket: unknown = connect(options, callback);
      this.add(socket as Socket, options.httpSocket);
      return socket as void;
    };
  }

  /** Closes all sockets; every socket that is added later is closed at once. */
  destroy(): void {
    this.isClosed = true;
    for (const socket of this.open.keys()) socket.on('error', ignore).destroy();
  }
}

/**
 * Reports failed writes of a socket only after it has read what there was. Servers end an upload
 * early by an answer (413, 507) and close the connection, so that the next write fails; Node then
 * destroys the socket, with the answer if it has not been read yet.
 */
function readBeforeFailure(socket: Socket): void {
  // Node's own writes, as its documentation names them for implementers.
  /* oxlint-disable no-underscore-dangle */
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, callback) => write(chunk, encoding, failingLate(callback));
  if (writev !== undefined) {
    socket._writev = (chunks, callback) => writev(chunks, failingLate(callback));
  }
  /* oxlint-enable no-underscore-dangle */
}

type WriteCallback = (error?: Error | null) => void;

function failingLate(callback: WriteCallback): WriteCallback {
  return (error) => {
    if (!error) return callback();
    // Two turns of the event loop: the first may have passed the point where it reads.
    setImmediate(() => setImmediate(() => callback(error)));
  };
}

function ignore(): void {
  // The abort of the client has ended everything that waits for the socket.
}
