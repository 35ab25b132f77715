import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { buildConnector as Connectors } from 'undici';
import { portOf } from '../url.js';
import { sharedLookup } from './lookup.js';

/**
 * Connections that are opened before requests need them. What each of them saves, and how that was
 * measured, is in docs/internals/connections.md.
 */

type Connector = Connectors.connector;

/** Longest wait for the address of the host before the program goes on loading, in milliseconds. */
const LOOKUP_MS = 5;
/** The value that undici sets for connections that it opens. */
const KEEP_ALIVE_MS = 60_000;

/**
 * One TCP connection to a registry that is opened while the code that will use it is being loaded,
 * which takes about as long as a round trip.
 */
export class EarlyConnection {
  readonly socket: Socket;
  /** For the other connections to the registry, so that its address is looked up once. */
  readonly lookup: LookupFunction = sharedLookup();
  private readonly hostname: string;
  private readonly port: number;
  private readonly opened: Promise<void>;
  private isTaken = false;

  constructor(url: URL) {
    this.hostname = url.hostname.replace(/^\[|\]$/g, '');
    this.port = portOf(url);
    this.socket = connectTcp({ host: this.hostname, port: this.port, lookup: this.lookup });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('connect', resolve).on('error', reject);
      this.socket.once('close', () => reject(new Error('the connection was closed')));
    });
    // Reported to the request that uses the connection, if one does.
    this.opened.catch(() => undefined);
  }

  /** Resolves as soon as the connection attempt is under way, or its address takes long to look up. */
  async begun(): Promise<void> {
    const { socket } = this;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOKUP_MS);
      for (const event of ['connectionAttempt', 'close'])
        socket.once(event, () => {
          clearTimeout(timer);
          // The attempt itself follows the event.
          setImmediate(resolve);
        });
    });
  }

  /** A connector whose first connection to this host and port is the early one. */
  before(connect: Connector, connectTimeoutMs: number): Connector {
    return (options, callback) => {
      const isHere = options.hostname === this.hostname && portOf(options) === this.port;
      if (!isHere || this.isTaken) return connect(options, callback);
      this.isTaken = true;
      void this.handOver(options, connect, connectTimeoutMs, callback);
    };
  }

  /** Closes the connection, if nothing else owns it. */
  destroy(): void {
    this.socket.destroy();
  }

  private async handOver(
    options: Connectors.Options,
    connect: Connector,
    connectTimeoutMs: number,
    callback: Connectors.Callback,
  ): Promise<void> {
    const { socket } = this;
    const timer = setTimeout(() => socket.destroy(connectTimeout()), connectTimeoutMs);
    try {
      await this.opened;
    } catch (error) {
      callback(error as Error, null);
      return;
    } finally {
      clearTimeout(timer);
    }
    if (!isUsable(socket)) connect(options, callback);
    else if (options.protocol === 'https:') connect({ ...options, httpSocket: socket }, callback);
    else callback(null, socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true));
  }
}

/**
 * HTTP/1.1 connections that are opened beside the first one, so that the requests for the entries of
 * an index need not wait for connections: a round trip, with TLS two.
 */
export class SpareConnections {
  private readonly spares: Promise<Socket | undefined>[] = [];
  /** Connections that were opened because there was no spare one. */
  private demanded = 0;

  /** @param count how many connections to open beside the first; asked when they are opened. */
  constructor(
    private readonly connect: Connector,
    private readonly count: () => number,
  ) {}

  /** A connector that takes a spare connection if there is one. */
  readonly connector: Connector = (options, callback) => {
    const spare = this.spares.shift();
    if (spare !== undefined) void this.handOver(spare, options, callback);
    else {
      this.demanded += 1;
      this.connect(options, callback);
    }
  };

  /** Adds an open connection. */
  add(socket: Socket): void {
    this.spares.push(Promise.resolve(socket));
  }

  /** Opens the spare connections to a server, less those that requests have opened already. */
  open(options: Connectors.Options): void {
    for (let i = this.count() - this.demanded; i > 0; i -= 1) {
      const opened = new Promise<Socket | undefined>((resolve) => {
        this.connect(options, (error, socket) => resolve(error === null ? socket : undefined));
      });
      this.spares.push(opened);
    }
  }

  private async handOver(
    spare: Promise<Socket | undefined>,
    options: Connectors.Options,
    callback: Connectors.Callback,
  ): Promise<void> {
    const socket = await spare;
    // One that failed, or that the server has closed since, is replaced.
    if (socket === undefined || !isUsable(socket)) this.connect(options, callback);
    else callback(null, socket);
  }
}

/** Whether a connection that carried no request so far is still open. */
function isUsable(socket: Socket): boolean {
  return !socket.destroyed && !socket.readableEnded && socket.writable;
}

/** The error of undici's connector for the same case; its class would load undici. */
function connectTimeout(): Error {
  return Object.assign(new Error('connecting timed out'), { code: 'UND_ERR_CONNECT_TIMEOUT' });
}
