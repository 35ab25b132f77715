import type { Http2Connection } from './http2.js';
import type { SpareConnections } from './spare-connections.js';

/**
 * Leaves it to the server which protocol is spoken (RFC 7301): the first connection offers both. With HTTP/2 it is the only one for all but
 * bulk; with HTTP/1.1 it is the first of those.
 */
export class Http2Choice {
  private current: Promise<Http2Connection | undefined> | undefined;
  private isHttp1 = false;
  private isHttp2 = false;

  constructor(
    private readonly origin: string,
    private readonly spares: SpareConnections,
  ) {}

  /**
   * The connection of HTTP/2, a new one where the last was closed; undefined where the server speaks HTTP/1.1.
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

  /** For a server that speaks HTTP/2 and then wants HTTP/1.1 (RFC 9113, HTTP_1_1_REQUIRED). */
  leave(): void {
    this.isHttp1 = true;
  }

  destroy(): void {
    void this.current?.then(
      (connection) => connection?.destroy(),
      () => undefined,
    );
  }

  private async open(): Promise<Http2Connection | undefined> {
    const socket = await this.spares.open(new URL(this.origin));
    if (socket.alpnProtocol === 'h2') {
      this.isHttp2 = true;
      this.spares.destroy();
      const { Http2Connection } = await import('./http2.js');
      // The session ends its connection in good order.
      this.spares.release(socket);
      return new Http2Connection(this.origin, socket, () => this.leave());
    }
    this.isHttp1 = true;
    this.spares.offer(socket);
    return undefined;
  }
}
