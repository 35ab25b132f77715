import { connect, type LookupFunction, type Socket } from 'node:net';
import { portOf } from '../url.js';
import { sharedLookup } from './shared-lookup.js';
import { Sockets } from './sockets.js';

/** How long whoever waits for the first connection to be begun waits for the address of the host, in milliseconds. */
const LOOKUP_MS = 5;

/** A connection of TCP that is being opened, or stands. */
export interface Begun {
  readonly socket: Socket;
  /** Resolves when it stands; fails as connecting does. */
  readonly opened: Promise<Socket>;
}

/** Connections to one server, of TCP alone, begun before the code that will use them is there. */
export class EarlyConnections {
  /** Of the other connections to that server as well: its address is looked up once. */
  readonly lookup: LookupFunction = sharedLookup();
  /** Of all connections of the client, these among them. */
  readonly sockets = new Sockets();
  private readonly hostname: string;
  private readonly port: number;
  private readonly begun: Begun[] = [];

  constructor(url: URL) {
    this.hostname = url.hostname.replace(/^\[|\]$/g, '');
    this.port = portOf(url);
  }

  /** Begins `count` of them; resolves when they are on their way, or have failed, or looking the address up takes long. */
  async begin(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) this.begun.push(this.connect());
    const first = this.begun[0]?.socket;
    if (first === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOKUP_MS);
      for (const event of ['connectionAttempt', 'close'])
        first.once(event, () => {
          clearTimeout(timer);
          // The others follow it at once.
          setImmediate(resolve);
        });
    });
  }

  /** Hands one over where it is to this server: the one that was begun first. */
  take(hostname: string, port: number): Begun | undefined {
    return hostname === this.hostname && port === this.port ? this.begun.shift() : undefined;
  }

  /** Closes those that nobody has taken. */
  destroy(): void {
    for (const { socket } of this.begun.splice(0)) socket.destroy();
  }

  private connect(): Begun {
    const socket = connect({ host: this.hostname, port: this.port, lookup: this.lookup });
    this.sockets.add(socket);
    const opened = new Promise<Socket>((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.on('error', reject);
    });
    // Whoever takes it is told.
    opened.catch(() => undefined);
    return { socket, opened };
  }
}
