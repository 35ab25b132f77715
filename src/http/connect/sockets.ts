import type { Socket } from 'node:net';
import type { buildConnector as Connectors } from 'undici';

/**
 * Owner of a client's sockets, from the moment each begins to connect. undici closes only those that a pool was given: one that is still
 * connecting or shaking hands would keep the process until its time-out.
 */
export class Sockets {
  /** Each with the one that it has taken over, for TLS. */
  private readonly open = new Map<Socket, Socket | undefined>();
  private isClosed = false;

  /** Owns a socket until it closes; after `destroy` closes it at once. */
  add(socket: Socket, below?: Socket): void {
    if (this.isClosed) {
      socket.on('error', ignore).destroy();
      return;
    }
    this.open.set(socket, below);
    socket.once('close', () => this.open.delete(socket));
  }

  /** Leaves a socket, with the one below it, to another owner. */
  release(socket: Socket): void {
    const below = this.open.get(socket);
    this.open.delete(socket);
    if (below !== undefined) this.release(below);
  }

  /** The connector, with each socket that it opens owned here. */
  ownedBy(connect: Connectors.connector): Connectors.connector {
    return (options, callback) => {
      // It returns the socket at once, which its type does not say.
      const socket: unknown = connect(options, callback);
      this.add(socket as Socket, options.httpSocket);
      return socket as void;
    };
  }

  /** Closes all sockets, and every one that is added later. */
  destroy(): void {
    this.isClosed = true;
    for (const socket of this.open.keys()) socket.on('error', ignore).destroy();
  }
}

function ignore(): void {
  // Whoever waits for the socket has been told by the abort.
}
