import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import errors from 'undici/lib/core/errors.js';
import { Semaphore } from '../../concurrency.js';
import { reasonOf } from '../../errors.js';
import {
  contentLength,
  HttpHeaders,
  type BegunAnswer,
  type HttpRequest,
  type StreamedBody,
  type Timeouts,
} from '../request.js';

/** Loaded when a server speaks HTTP/2: it takes 10 ms that plain HTTP can do without. */
function http2(): typeof import('node:http2') {
  return process.getBuiltinModule('node:http2');
}

/** Bytes of an answer that may be under way; with the default of 64 KiB, a document takes several round trips. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const CONNECTION_WINDOW = 32 * 1024 * 1024;
/** Streams that are opened before the server has sent its limit (RFC 9113, 6.5.2 recommends 100 at least). */
const INITIAL_STREAMS = 100;

/** The server has not processed a request, which may be sent again at once (RFC 9113, 8.7). */
export class NotProcessed extends errors.SocketError {}

/** What is done with a connection once the server has chosen the protocol. */
export interface NegotiationOptions {
  /** Opens a connection that offers both protocols. */
  readonly connect: Connectors.connector;
  /** Where to. */
  readonly target: Connectors.Options;
  readonly onHttp2: (socket: TLSSocket) => void;
  readonly onHttp1: (socket: TLSSocket, target: Connectors.Options) => void;
}

/**
 * Lets the server choose the protocol (ALPN, RFC 7301): the first connection offers both. With HTTP/2
 * it carries everything but streamed bodies; with HTTP/1.1 it is the first of several.
 */
export class Http2Negotiation {
  private current: Promise<Http2Connection | undefined> | undefined;
  private isHttp1 = false;
  private isHttp2 = false;

  constructor(
    private readonly origin: string,
    private readonly options: NegotiationOptions,
  ) {}

  /**
   * The HTTP/2 connection, a new one if the last was closed; undefined if the server speaks HTTP/1.1.
   * @throws what connecting fails with.
   */
  async connection(): Promise<Http2Connection | undefined> {
    while (!this.isHttp1) {
      const current = (this.current ??= this.open());
      let connection: Http2Connection | undefined;
      try {
        connection = await current;
      } catch (error) {
        if (this.current === current) this.current = undefined;
        throw error;
      }
      if (connection?.isOpen !== false) return connection;
      if (this.current === current) this.current = undefined;
    }
    return undefined;
  }

  /** Whether the server has chosen HTTP/2. */
  get isSpoken(): boolean {
    return this.isHttp2 && !this.isHttp1;
  }

  destroy(): void {
    void this.current?.then(
      (connection) => connection?.destroy(),
      () => undefined,
    );
  }

  private async open(): Promise<Http2Connection | undefined> {
    const { target } = this.options;
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      this.options.connect(target, (error, connected) => {
        if (error === null) resolve(connected as TLSSocket);
        else reject(error);
      });
    });
    if (socket.alpnProtocol === 'h2') {
      this.isHttp2 = true;
      this.options.onHttp2(socket);
      return new Http2Connection(this.origin, socket, () => this.leave());
    }
    this.isHttp1 = true;
    this.options.onHttp1(socket, target);
    return undefined;
  }

  /** Goes on with HTTP/1.1 if a server that chose HTTP/2 demands it (RFC 9113, HTTP_1_1_REQUIRED). */
  private leave(): void {
    this.isHttp1 = true;
  }
}

/**
 * One HTTP/2 connection (RFC 9113), with Node's own client: undici 7, the newest for Node 20, loses
 * all requests that are under way when a server closes a connection in good order. Errors are
 * undici's, so that callers have one kind to judge.
 */
class Http2Connection {
  private readonly session: ClientHttp2Session;
  private readonly streams = new Semaphore(() => this.limit());
  /** Why the connection broke. */
  private failure: Error | undefined;
  /** The last stream that the server will process, once it has said so. */
  private lastProcessed = Infinity;

  constructor(
    origin: string,
    socket: TLSSocket,
    /** Called when the server demands HTTP/1.1. */
    private readonly onHttp1Required: () => void,
  ) {
    this.session = http2().connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    this.session.once('connect', () => this.session.setLocalWindowSize(CONNECTION_WINDOW));
    this.session.on('goaway', (_code, lastStream) => {
      this.lastProcessed = lastStream;
    });
    // Each request of the connection fails with it.
    this.session.on('error', (error) => {
      this.failure = error;
    });
  }

  /** Whether it accepts requests. */
  get isOpen(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /**
   * Sends a request.
   * @returns the answer as soon as it begins
   * @throws {NotProcessed}, undici's errors for a lost or silent connection, or the reason of the signal.
   */
  async send(request: HttpRequest, timeouts: Timeouts, signal: AbortSignal): Promise<BegunAnswer> {
    await this.streams.acquire(signal);
    let stream: ClientHttp2Stream;
    try {
      signal.throwIfAborted();
      stream = this.begin(request);
    } catch (error) {
      this.streams.release();
      throw error;
    }
    stream.once('close', () => this.streams.release());
    return new Exchange(stream, request, {
      timeouts,
      signal,
      // The connection of a silent server gets no more requests.
      onSilence: () => this.session.close(),
      lost: (error) => {
        this.failure ??= error;
        return this.unanswered(stream);
      },
    }).answer();
  }

  destroy(): void {
    this.session.destroy();
  }

  /** How many streams the server allows. Before its settings arrive, Node has an empty object or none. */
  private limit(): number {
    const { remoteSettings } = this.session as Partial<ClientHttp2Session>;
    // A server that allows none for now would never be asked again.
    return Math.max(1, remoteSettings?.maxConcurrentStreams ?? INITIAL_STREAMS);
  }

  private unanswered({ id = 0, rstCode }: ClientHttp2Stream): Error {
    const { NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_REFUSED_STREAM } = http2().constants;
    const wantsHttp1 = rstCode === NGHTTP2_HTTP_1_1_REQUIRED;
    if (wantsHttp1) this.onHttp1Required();
    const isRefused = rstCode === NGHTTP2_REFUSED_STREAM || id > this.lastProcessed;
    if (wantsHttp1 || isRefused) return new NotProcessed('the request was refused');
    const lost = new errors.SocketError('the request was not answered');
    return Object.assign(lost, { cause: this.failure });
  }

  /** @throws {NotProcessed} if the connection accepts no more requests. */
  private begin(request: HttpRequest): ClientHttp2Stream {
    const { method, url, headers, body, upload } = request;
    try {
      const stream = this.session.request(
        {
          ':method': method,
          ':scheme': 'https',
          ':authority': url.host,
          ':path': url.pathname + url.search,
          ...headers,
          ...contentLength(request),
        },
        { endStream: body === undefined && upload === undefined },
      );
      if (body !== undefined) stream.end(body);
      return stream;
    } catch (error) {
      throw new NotProcessed(reasonOf(error));
    }
  }
}

interface ExchangeOptions {
  readonly timeouts: Timeouts;
  readonly signal: AbortSignal;
  /** Called when the server has been silent for too long. */
  readonly onSilence: () => void;
  /** The error for an answer that is missing or incomplete. */
  readonly lost: (cause: Error | undefined) => Error;
}

/** One request and its answer on a stream of its own (RFC 9113, 8.1). */
class Exchange {
  private timer: NodeJS.Timeout | undefined;
  /** Why the exchange was given up here. */
  private failure: Error | undefined;
  private streamError: Error | undefined;
  private isAnswered = false;
  private readonly closed: Promise<void>;

  constructor(
    private readonly stream: ClientHttp2Stream,
    private readonly request: HttpRequest,
    private readonly options: ExchangeOptions,
  ) {
    const { signal } = options;
    const abort = (): void => this.fail(signal.reason as Error);
    signal.addEventListener('abort', abort);
    // Followed by 'close', which is emitted without an error as well.
    stream.on('error', (error) => {
      this.streamError ??= error;
    });
    this.closed = new Promise((resolve) => {
      stream.once('close', () => {
        clearTimeout(this.timer);
        signal.removeEventListener('abort', abort);
        resolve();
      });
    });
  }

  /** Sends the body and waits for the answer to begin. */
  answer(): Promise<BegunAnswer> {
    const { request, stream } = this;
    this.expectAnswer();
    if (request.upload !== undefined) void this.upload(request.upload);
    return new Promise((resolve, reject) => {
      stream.once('response', ({ ':status': status, ...fields }) => {
        this.isAnswered = true;
        clearTimeout(this.timer);
        const headers = new HttpHeaders(fields);
        const chunks = this.body(request.method === 'HEAD' ? undefined : announcedLength(headers));
        const body = { [Symbol.asyncIterator]: () => chunks, destroy: () => this.cancel() };
        resolve({ status: Number(status), headers, body });
      });
      void this.closed.then(() => reject(this.error()));
    });
  }

  private expectAnswer(): void {
    const { answerTimeoutMs = this.options.timeouts.headersMs } = this.request;
    this.expect(answerTimeoutMs, errors.HeadersTimeoutError);
  }

  /** Fails after a silence. */
  private expect(milliseconds: number, SilenceError: new () => Error): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.fail(new SilenceError());
      this.options.onSilence();
    }, milliseconds);
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.cancel();
  }

  private cancel(): void {
    this.stream.close(http2().constants.NGHTTP2_CANCEL);
  }

  private error(): Error {
    return this.failure ?? this.options.lost(this.streamError);
  }

  /** Sends a body as fast as the server takes it; ends early if the server has answered in full. */
  private async upload({ open }: StreamedBody): Promise<void> {
    const { stream } = this;
    try {
      for await (const chunk of open()) {
        if (stream.closed) return;
        const isTaken = stream.write(chunk) || this.drained();
        await Promise.race([this.closed, isTaken]);
        if (!this.isAnswered) this.expectAnswer();
      }
      stream.end();
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => this.stream.once('drain', resolve));
  }

  /**
   * The body of the answer, with its length if that is announced.
   * @throws undici's errors, or the reason of the signal.
   */
  private async *body(announced: number | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const { stream } = this;
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    let length = 0;
    try {
      for (;;) {
        this.expect(this.options.timeouts.idleMs, errors.BodyTimeoutError);
        const chunk = await chunks.next();
        clearTimeout(this.timer);
        if (chunk.done === true) break;
        length += chunk.value.length;
        yield chunk.value;
      }
      // A server that has answered in full need not take the rest of the request.
      if (!stream.writableEnded) return;
      await this.closed;
    } catch (error) {
      this.streamError ??= error as Error;
      await this.closed;
      throw this.error();
    } finally {
      clearTimeout(this.timer);
      if (!stream.closed) this.cancel();
    }
    if (this.failure !== undefined) throw this.failure;
    // A stream that was reset ends like any other.
    const isWhole = stream.rstCode === http2().constants.NGHTTP2_NO_ERROR;
    if (!isWhole || (announced !== undefined && announced !== length)) throw this.error();
  }
}

function announcedLength(headers: HttpHeaders): number | undefined {
  const length = headers.first('content-length');
  return length === undefined ? undefined : Number(length);
}
