import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import errors from 'undici/lib/core/errors.js';
import { Semaphore } from '../../concurrency.js';
import { reasonOf } from '../../errors.js';
import { bodyLimits, type BodyLimits } from '../answer-body.js';
import {
  BodyTooLarge,
  HttpHeaders,
  type HttpRequest,
  type HttpResponse,
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
   * Sends a request, and reads its answer to the end.
   * @throws {NotProcessed}, undici's errors for a lost or silent connection, or the reason of the signal.
   */
  async send(request: HttpRequest, timeouts: Timeouts, signal: AbortSignal): Promise<HttpResponse> {
    await this.streams.acquire();
    try {
      signal.throwIfAborted();
      return await this.exchange(request, timeouts, signal);
    } finally {
      this.streams.release();
    }
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

  private exchange(
    request: HttpRequest,
    timeouts: Timeouts,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      const stream = this.begin(request);
      const answer = new Answer(request);
      const idle = { timer: undefined as NodeJS.Timeout | undefined };
      const settle = (): void => {
        clearTimeout(idle.timer);
        signal.removeEventListener('abort', abort);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
        stream.close(http2().constants.NGHTTP2_CANCEL);
      };
      /** Fails after a silence; the connection of a silent server gets no more requests. */
      const expect = (milliseconds: number, SilenceError: new () => Error): void => {
        clearTimeout(idle.timer);
        idle.timer = setTimeout(() => {
          fail(new SilenceError());
          this.session.close();
        }, milliseconds);
      };
      const abort = (): void => fail(signal.reason as Error);
      /** Ends with what has come of an answer that can do without the rest. */
      const finish = (): void => {
        settle();
        resolve(answer.start()!);
        stream.close(http2().constants.NGHTTP2_CANCEL);
      };
      signal.addEventListener('abort', abort);
      expect(request.answerTimeoutMs ?? timeouts.headersMs, errors.HeadersTimeoutError);
      stream.on('response', (fields) => {
        const { waitMs } = answer.begin(fields);
        if (waitMs === undefined) return expect(timeouts.idleMs, errors.BodyTimeoutError);
        clearTimeout(idle.timer);
        idle.timer = setTimeout(finish, waitMs);
      });
      stream.on('data', (chunk: Uint8Array) => {
        const isWithin = answer.add(chunk);
        if (answer.isOptional) {
          if (!isWithin) finish();
        } else if (isWithin) {
          expect(timeouts.idleMs, errors.BodyTimeoutError);
        } else {
          fail(new BodyTooLarge(request.maxBytes));
        }
      });
      // Followed by 'close', which is emitted without an error as well.
      stream.on('error', (error) => {
        this.failure ??= error;
      });
      stream.on('close', () => {
        settle();
        const isEnded = stream.rstCode === http2().constants.NGHTTP2_NO_ERROR;
        const response = answer.isOptional ? answer.start() : isEnded ? answer.whole() : undefined;
        if (response !== undefined) resolve(response);
        else reject(this.unanswered(stream));
      });
    });
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
  private begin({ method, url, headers, body }: HttpRequest): ClientHttp2Stream {
    const hasLength = body !== undefined || method === 'POST' || method === 'PUT';
    const length = hasLength ? (body?.length ?? 0) : undefined;
    try {
      const stream = this.session.request(
        {
          ':method': method,
          ':scheme': 'https',
          ':authority': url.host,
          ':path': url.pathname + url.search,
          ...headers,
          // Some registries refuse a body without it.
          ...(length === undefined ? {} : { 'content-length': String(length) }),
        },
        { endStream: body === undefined },
      );
      if (body !== undefined) stream.end(body);
      return stream;
    } catch (error) {
      throw new NotProcessed(reasonOf(error));
    }
  }
}

/** An answer while it is being read. */
class Answer {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;
  private head: { readonly status: number; readonly headers: HttpHeaders } | undefined;
  private limits: BodyLimits | undefined;

  constructor(private readonly request: HttpRequest) {}

  begin(fields: Readonly<Record<string, string | string[] | number | undefined>>): BodyLimits {
    const { ':status': status, ...others } = fields;
    const headers = new HttpHeaders(others as Record<string, string | string[] | undefined>);
    this.head = { status: Number(status), headers };
    this.limits = bodyLimits(this.request, this.head.status);
    return this.limits;
  }

  /** Adds a piece of the body; false if the body is larger than allowed. */
  add(chunk: Uint8Array): boolean {
    this.length += chunk.length;
    this.chunks.push(chunk);
    return this.length <= this.limits!.maxBytes;
  }

  /** Whether the answer can do without its body. */
  get isOptional(): boolean {
    return this.limits?.waitMs !== undefined;
  }

  /** The answer with what has come of its body; undefined if it has not begun. */
  start(): HttpResponse | undefined {
    if (this.head === undefined) return undefined;
    return { ...this.head, url: this.request.url, body: Buffer.concat(this.chunks) };
  }

  /** The complete answer; undefined if a part is missing: a stream that was reset without an error ends like any other. */
  whole(): HttpResponse | undefined {
    const announced = this.head?.headers.first('content-length');
    const isWhole = announced === undefined || Number(announced) === this.length;
    return isWhole ? this.start() : undefined;
  }
}
