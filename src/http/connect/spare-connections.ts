import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import { portOf } from '../url.js';
import { adopt, isUsable } from './adopt.js';
import type { Sockets } from './sockets.js';
import type { Begun, EarlyConnections } from './early-connections.js';

type Options = Parameters<Connectors.connector>[0];

interface SpareOptions {
  /** Opens one of HTTP/1.1. */
  readonly connect: Connectors.connector;
  /** Opens one of HTTP/1.1 or HTTP/2, as the server likes. */
  readonly connectAny: Connectors.connector;
  /** How many there are to be beside the first one; asked when that is opened. */
  readonly count: () => number;
  readonly lookup: LookupFunction;
  readonly sockets: Sockets;
  /** May be the first ones. */
  readonly early: EarlyConnections | undefined;
  readonly connectTimeoutMs: number;
}

/** How many connections in TLS are made ready before anybody wants them: each takes some 5 ms of this program's processor time. */
const EAGER_TLS = 9;

/**
 * Opens connections side by side with the first one, for the requests that come when its answer is there: those of the images of a list
 * do not have to wait for connections then (a round trip, or with TLS two). With TLS only the connection as such is opened at once; the
 * rest follows while the first request is on its way, so that it is not held up.
 */
export class SpareConnections {
  private readonly spares: Spare[] = [];
  private offered: Socket | undefined;
  private isStarted = false;
  private taken = 0;

  constructor(private readonly options: SpareOptions) {}

  /** Takes the place of `connect`. */
  readonly connector: Connectors.connector = (options, callback) => {
    const { connect } = this.options;
    if (!this.isStarted) {
      this.start(connect, options, (...result) => {
        callback(...result);
        if (result[0] === null && this.taken === 0) this.prepare();
      });
      return;
    }
    const { offered } = this;
    this.offered = undefined;
    if (offered !== undefined && isUsable(offered)) {
      // Not at once: undici hears nothing of it while it is asking.
      queueMicrotask(() => callback(null, offered.off('error', ignore)));
      return;
    }
    this.taken += 1;
    const spare = this.spares.shift();
    if (spare === undefined) connect(options, callback);
    else void spare.take(callback, () => connect(options, callback));
  };

  /** Opens one of any protocol, in TLS; with the very first, those beside it. */
  open({ host, hostname, port, protocol }: URL): Promise<TLSSocket> {
    // As undici writes them.
    const options = { host, hostname: hostname.replace(/^\[|\]$/g, ''), port, protocol };
    return new Promise((resolve, reject) => {
      const done: Connectors.Callback = (error, socket) => {
        if (error === null) resolve(socket as TLSSocket);
        else reject(error);
      };
      if (this.isStarted) this.options.connectAny(options, done);
      else this.start(this.options.connectAny, options, done);
    });
  }

  /** Takes one of HTTP/1.1 for whoever comes first. The others are made ready when that one is on its way. */
  offer(socket: TLSSocket): void {
    socket.on('error', ignore);
    this.offered = socket;
    setImmediate(() => this.prepare());
  }

  /** Leaves one to another owner. */
  release(socket: TLSSocket): void {
    this.options.sockets.release(socket);
  }

  private start(
    connect: Connectors.connector,
    options: Options,
    callback: Connectors.Callback,
  ): void {
    this.isStarted = true;
    const { early, connectTimeoutMs, count } = this.options;
    const take = (): Begun | undefined => early?.take(options.hostname, portOf(options));
    const begun = take();
    if (begun === undefined) connect(options, callback);
    else void adopt(begun, options, connect, connectTimeoutMs, callback);
    for (let i = count(); i > 0; i -= 1) this.spares.push(new Spare(this.options, options, take()));
    if (begun !== undefined) early?.destroy();
  }

  private prepare(): void {
    for (const spare of this.spares.slice(0, EAGER_TLS)) spare.prepare();
  }

  /** Closes those that nobody has taken. */
  destroy(): void {
    this.offered?.destroy();
    for (const spare of this.spares.splice(0)) spare.destroy();
  }
}

/** One connection that is being opened for whoever comes. */
class Spare {
  /** Of TCP alone, to be made one of TLS. */
  private readonly raw: Socket | undefined;
  private ready: Promise<Socket> | undefined;
  private socket: Socket | undefined;

  constructor(
    private readonly settings: SpareOptions,
    private readonly options: Options,
    /** The connection of TCP, where it was begun already. */
    private readonly begun: Begun | undefined,
  ) {
    if (options.protocol === 'https:') {
      const { lookup, sockets } = settings;
      this.raw =
        begun?.socket ?? connectTcp({ host: options.hostname, port: portOf(options), lookup });
      // Whoever takes it is told.
      this.raw.on('error', ignore);
      sockets.add(this.raw);
    } else this.prepare();
  }

  /** Makes it ready for requests. */
  prepare(): void {
    this.ready ??= new Promise<Socket>((resolve, reject) => {
      const done: Connectors.Callback = (error, connected) => {
        if (error === null) resolve(connected);
        else reject(error);
      };
      const { connect, connectTimeoutMs } = this.settings;
      if (this.raw === undefined && this.begun !== undefined) {
        this.socket = this.begun.socket;
        void adopt(this.begun, this.options, connect, connectTimeoutMs, done);
      } else {
        const tls = this.raw === undefined ? {} : { httpSocket: this.raw };
        // It returns the socket at once, which its type does not say.
        const socket: unknown = connect({ ...this.options, ...tls }, done);
        this.socket = socket as Socket;
      }
      this.socket.on('error', ignore);
    });
    this.ready.catch(ignore);
  }

  /** Hands it over; one that could not be opened, or was closed since, is none, and another one is opened in its place. */
  async take(callback: Connectors.Callback, openAnother: () => void): Promise<void> {
    this.prepare();
    const socket = await this.ready!.catch(ignore);
    socket?.off('error', ignore);
    if (socket === undefined || !isUsable(socket)) openAnother();
    else callback(null, socket);
  }

  destroy(): void {
    this.socket?.destroy();
    this.raw?.destroy();
  }
}

function ignore(): undefined {
  // a connection that fails before anybody wants it is no matter
}
