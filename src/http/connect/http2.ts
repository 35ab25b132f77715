import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import errors from 'undici/lib/core/errors.js';
import { reasonOf } from '../../errors.js';
import { BodyTooLarge, HttpHeaders, type HttpRequest, type HttpResponse } from '../request.js';
import { Semaphore } from '../../concurrency.js';
import type { Timeouts } from '../timeouts.js';

const { NGHTTP2_CANCEL, NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants;

/** So that a document comes in one go and not in pieces of 64 kB, each of which would wait for a round trip; in bytes. */
const STREAM_WINDOW = 4 * 1024 * 1024;
const CONNECTION_WINDOW = 32 * 1024 * 1024;
/** How many requests are sent before the server has said how many it takes (RFC 9113, 6.5.2: no less than 100 is recommended). */
const STREAMS_UNTOLD = 100;

/** The server has done nothing about a request, which may be sent again at once (RFC 9113, 8.7). */
class NotProcessed extends errors.SocketError {
  override readonly name = 'NotProcessed' as never;
}

/**
 * One connection of HTTP/2 (RFC 9113), over Node's own client: undici 7, the newest for Node 20, loses all requests that are under way when a
 * server ends a connection in good order. Errors are undici's, so that whoever judges them needs to know one kind.
 */
export class Http2Connection {
  private readonly session: ClientHttp2Session;
  private readonly room = new Semaphore(() => this.limit());
  /** The last request that the server will do something about, once it has said so. */
  private lastProcessed = Infinity;

  constructor(
    origin: string,
    socket: TLSSocket,
    /** Told when the server wants HTTP/1.1 after all. */
    private readonly onHttp1Required: () => void,
  ) {
    this.session = connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    this.session.once('connect', () => this.session.setLocalWindowSize(CONNECTION_WINDOW));
    this.session.on('goaway', (_code, lastStream) => {
      this.lastProcessed = lastStream;
    });
    // Each request that it concerns is told.
    this.session.on('error', () => undefined);
  }

  /** Whether it takes more requests. */
  get isOpen(): boolean {
    return !this.session.closed && !this.session.destroyed;
  }

  /**
   * Sends a request, and reads its answer whole.
   * @throws {NotProcessed}; undici's errors for a connection that is lost or silent; the reason of the signal.
   */
  async send(request: HttpRequest, timeouts: Timeouts, signal: AbortSignal): Promise<HttpResponse> {
    await this.room.acquire();
    try {
      signal.throwIfAborted();
      return await this.exchange(request, timeouts, signal);
    } finally {
      this.room.release();
    }
  }

  destroy(): void {
    this.session.destroy();
  }

  /** Node knows nothing of the server's settings before they are there, and says so by an empty object or none. */
  private limit(): number {
    const { remoteSettings } = this.session as Partial<ClientHttp2Session>;
    // One that takes none for now is asked all the same: it would never be heard of again.
    return Math.max(1, remoteSettings?.maxConcurrentStreams ?? STREAMS_UNTOLD);
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
        stream.close(NGHTTP2_CANCEL);
      };
      /** A server that is silent is not asked again on this connection. */
      const expect = (milliseconds: number, SilenceError: new () => Error): void => {
        clearTimeout(idle.timer);
        idle.timer = setTimeout(() => {
          fail(new SilenceError());
          this.session.close();
        }, milliseconds);
      };
      const abort = (): void => fail(signal.reason as Error);
      signal.addEventListener('abort', abort);
      expect(request.answerTimeoutMs ?? timeouts.headersMs, errors.HeadersTimeoutError);
      stream.on('response', (fields) => {
        answer.begin(fields);
        expect(timeouts.idleMs, errors.BodyTimeoutError);
      });
      stream.on('data', (chunk: Uint8Array) => {
        if (answer.add(chunk)) expect(timeouts.idleMs, errors.BodyTimeoutError);
        else fail(new BodyTooLarge(request.maxBytes));
      });
      // Comes again with 'close', which tells of what has no error as well.
      stream.on('error', () => undefined);
      stream.on('close', () => {
        settle();
        const response = stream.rstCode === NGHTTP2_NO_ERROR ? answer.whole() : undefined;
        if (response !== undefined) resolve(response);
        else reject(this.unanswered(stream));
      });
    });
  }

  private unanswered({ id = 0, rstCode }: ClientHttp2Stream): Error {
    const wantsHttp1 = rstCode === NGHTTP2_HTTP_1_1_REQUIRED;
    if (wantsHttp1) this.onHttp1Required();
    const isRefused = rstCode === NGHTTP2_REFUSED_STREAM || id > this.lastProcessed;
    if (wantsHttp1 || isRefused) return new NotProcessed('the request was refused');
    return new errors.SocketError('the request was not answered');
  }

  /** @throws {NotProcessed} The connection takes no more requests. */
  private begin({ method, url, headers, body }: HttpRequest): ClientHttp2Stream {
    const length = body === undefined && method !== 'POST' ? undefined : (body?.length ?? 0);
    try {
      const stream = this.session.request(
        {
          ':method': method,
          ':scheme': 'https',
          ':authority': url.host,
          ':path': url.pathname + url.search,
          ...headers,
          // Some registries refuse what comes without.
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

/** An answer that is being read. */
class Answer {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;
  private head: { readonly status: number; readonly headers: HttpHeaders } | undefined;

  constructor(private readonly request: HttpRequest) {}

  begin(fields: Readonly<Record<string, string | string[] | number | undefined>>): void {
    const { ':status': status, ...others } = fields;
    const headers = new HttpHeaders(others as Record<string, string | string[] | undefined>);
    this.head = { status: Number(status), headers };
  }

  /** False where it is more than may be read. */
  add(chunk: Uint8Array): boolean {
    this.length += chunk.length;
    this.chunks.push(chunk);
    return this.length <= this.request.maxBytes;
  }

  /** Undefined where something is missing: a stream that was reset without an error ends like any other. */
  whole(): HttpResponse | undefined {
    if (this.head === undefined) return undefined;
    const { method, url } = this.request;
    const announced = this.head.headers.first('content-length');
    const isWhole =
      method === 'HEAD' || announced === undefined || Number(announced) === this.length;
    return isWhole ? { ...this.head, url, body: Buffer.concat(this.chunks) } : undefined;
  }
}
