import { connect, type LookupFunction, type Socket } from 'node:net';
import { sharedLookup } from './shared-lookup.js';

/** How long whoever waits for the connection to be begun waits for the address of the host, in milliseconds. */
const LOOKUP_MS = 5;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** The first connection to a server, of TCP alone, begun before the code that will use it is there. */
export class EarlyConnection {
  /** Of the other connections to that server as well: its address is looked up once. */
  readonly lookup: LookupFunction = sharedLookup();
  /** When it is on its way, or has failed, or looking the address up takes long. */
  readonly begun: Promise<void>;
  private readonly hostname: string;
  private readonly port: number;
  private opened: Promise<Socket> | undefined;
  private readonly socket: Socket;

  constructor({ hostname, port, protocol }: URL) {
    this.hostname = hostname.replace(/^\[|\]$/g, '');
    this.port = Number(port) || DEFAULT_PORTS[protocol]!;
    const socket = connect({ host: this.hostname, port: this.port, lookup: this.lookup });
    this.socket = socket;
    this.opened = new Promise<Socket>((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.on('error', reject);
    });
    // Whoever takes it is told.
    this.opened.catch(() => undefined);
    this.begun = new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOKUP_MS);
      for (const event of ['connectionAttempt', 'close'])
        socket.once(event, () => {
          clearTimeout(timer);
          resolve();
        });
    });
  }

  /** Hands the connection over, once, where it is one to this server. */
  take(hostname: string, port: number): { socket: Socket; opened: Promise<Socket> } | undefined {
    const { socket, opened } = this;
    if (opened === undefined || hostname !== this.hostname || port !== this.port) return undefined;
    this.opened = undefined;
    return { socket, opened };
  }

  /** Closes it where nobody has taken it. */
  destroy(): void {
    if (this.opened !== undefined) this.socket.destroy();
  }
}
