/** Length of a message's body (RFC 9112, 6.3). @typedef {number | 'chunked' | 'until-close'} Body */

/**
 * @typedef {object} Listener
 * @property {(startLine: string, field: (name: string) => string | undefined) => Body} onHead called with each head; returns the length of the body
 * @property {() => void} onEnd called at the end of a message
 */

const MAX_HEAD_BYTES = 256 * 1024;

/**
 * Parses the messages of one direction of an HTTP/1.1 connection from chunks of any size. It keeps
 * no bodies. If the bytes are not HTTP (a client that tries TLS), everything after them is ignored.
 */
export class MessageReader {
  /** @type {'head' | 'body' | 'chunk-size' | 'chunk' | 'trailer' | 'until-close' | 'foreign'} */
  #state = 'head';
  /** Start of an incomplete line or head. */
  #pending = '';
  /** Remaining bytes of a body or chunk. */
  #left = 0;

  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
  }

  /** @param {Buffer} bytes */
  read(bytes) {
    for (let at = 0; at < bytes.length && this.#state !== 'foreign';) at = this.#step(bytes, at);
  }

  /** Ends a message whose body lasts until the connection closes. */
  close() {
    if (this.#state === 'until-close') this.#finish();
  }

  /** Consumes bytes from `at` on; returns the offset of the rest. @param {Buffer} bytes @param {number} at */
  #step(bytes, at) {
    const state = this.#state;
    if (state === 'head') return this.#text(bytes, at, '\r\n\r\n', (head) => this.#head(head));
    if (state === 'chunk-size')
      return this.#text(bytes, at, '\r\n', (line) => this.#chunk(Number.parseInt(line, 16)));
    if (state === 'trailer')
      return this.#text(bytes, at, '\r\n', (line) => line === '' && this.#finish());
    if (state === 'body' || state === 'chunk') return this.#skip(bytes, at);
    return bytes.length;
  }

  /** @param {Buffer} bytes @param {number} at @param {string} end @param {(text: string) => void} use */
  #text(bytes, at, end, use) {
    const before = this.#pending.length;
    const text = this.#pending + bytes.toString('latin1', at);
    const found = text.indexOf(end, Math.max(0, before - end.length));
    if (found >= 0) {
      this.#pending = '';
      use(text.slice(0, found));
      return at + found + end.length - before;
    }
    this.#pending = text;
    if (text.length > MAX_HEAD_BYTES || (this.#state === 'head' && !/^[A-Z]/.test(text)))
      this.#state = 'foreign';
    return bytes.length;
  }

  /** @param {string} head */
  #head(head) {
    const [startLine = '', ...lines] = head.split('\r\n');
    if (!/^[A-Z]+ \S+ HTTP\/1\.[01]$|^HTTP\/1\.[01] /.test(startLine)) {
      this.#state = 'foreign';
      return;
    }
    const body = this.listener.onHead(startLine, (name) => {
      const line = lines.find((each) => each.toLowerCase().startsWith(`${name}:`));
      return line?.slice(name.length + 1).trim();
    });
    if (body === 'until-close') this.#state = 'until-close';
    else if (body === 'chunked') this.#state = 'chunk-size';
    else if (body > 0) this.#expect('body', body);
    else this.#finish();
  }

  /** @param {number} size */
  #chunk(size) {
    if (Number.isNaN(size)) this.#state = 'foreign';
    else if (size === 0) this.#state = 'trailer';
    // The chunk and the end of its line.
    else this.#expect('chunk', size + 2);
  }

  /** @param {'body' | 'chunk'} state @param {number} bytes */
  #expect(state, bytes) {
    this.#state = state;
    this.#left = bytes;
  }

  /** @param {Buffer} bytes @param {number} at */
  #skip(bytes, at) {
    const taken = Math.min(this.#left, bytes.length - at);
    this.#left -= taken;
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-size';
      else this.#finish();
    }
    return at + taken;
  }

  #finish() {
    this.#state = 'head';
    this.listener.onEnd();
  }
}
