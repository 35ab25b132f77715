import { ZSTDDecoder } from 'zstddec/stream';

/** What the WebAssembly build of zstd exports (facebook/zstd, lib/zstd.h). */
interface Zstd {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(address: number): void;
  ZSTD_createDCtx(): number;
  ZSTD_freeDCtx(context: number): void;
  ZSTD_decompressStream(context: number, output: number, input: number): number;
}

/** Data that are not zstd frames, or are damaged. */
export class ZstdError extends Error {}

/** How much is decompressed at a time, at most. */
const INPUT_SIZE = 64 * 1024;
const OUTPUT_SIZE = 128 * 1024;
/** Of `ZSTD_inBuffer` and `ZSTD_outBuffer`: an address, a size and a position. */
const BUFFER_SIZE = 12;
/** An error of zstd is a small negative number. */
const MAX_ERROR = -128;

/**
 * Decompresses zstd frames that arrive in chunks (RFC 8878), with a window of at most 128 MiB. Node
 * has zstd since 22.15 only, and there it ends after the first frame.
 */
export class ZstdDecompressor {
  private readonly context: number;
  private readonly input: number;
  private readonly output: number;
  private readonly inputBuffer: number;
  private readonly outputBuffer: number;
  private isComplete = true;

  private constructor(private readonly zstd: Zstd) {
    this.context = zstd.ZSTD_createDCtx();
    this.input = zstd.malloc(INPUT_SIZE);
    this.output = zstd.malloc(OUTPUT_SIZE);
    this.inputBuffer = zstd.malloc(BUFFER_SIZE);
    this.outputBuffer = zstd.malloc(BUFFER_SIZE);
  }

  static async create(): Promise<ZstdDecompressor> {
    return new ZstdDecompressor(await loadZstd());
  }

  /**
   * Decompresses a chunk; each part is valid until the next one is asked for.
   * @throws {ZstdError} if it is damaged.
   */
  *decompress(chunk: Uint8Array): Generator<Buffer, void, undefined> {
    for (let at = 0; at < chunk.length; at += INPUT_SIZE) {
      const part = chunk.subarray(at, at + INPUT_SIZE);
      this.bytes(this.input, part.length).set(part);
      this.setBuffer(this.inputBuffer, this.input, part.length);
      // At the end of a frame, left is 0 and everything is put out.
      for (let isFull = true; isFull || this.positionOf(this.inputBuffer) < part.length;) {
        this.setBuffer(this.outputBuffer, this.output, OUTPUT_SIZE);
        const left = this.zstd.ZSTD_decompressStream(
          this.context,
          this.outputBuffer,
          this.inputBuffer,
        );
        if (left < 0 && left > MAX_ERROR) throw new ZstdError('the data is damaged');
        this.isComplete = left === 0;
        const length = this.positionOf(this.outputBuffer);
        isFull = length === OUTPUT_SIZE && !this.isComplete;
        if (length > 0) yield this.bytes(this.output, length);
      }
    }
  }

  /** @throws {ZstdError} if the last frame is incomplete. */
  end(): void {
    if (!this.isComplete) throw new ZstdError('the last frame is incomplete');
  }

  /** Frees the memory; call it in any case. */
  free(): void {
    this.zstd.ZSTD_freeDCtx(this.context);
    for (const each of [this.input, this.output, this.inputBuffer, this.outputBuffer])
      this.zstd.free(each);
  }

  /** The memory may have moved since the last call. */
  private bytes(address: number, length: number): Buffer {
    return Buffer.from(this.zstd.memory.buffer, address, length);
  }

  private setBuffer(buffer: number, address: number, size: number): void {
    const view = new DataView(this.zstd.memory.buffer, buffer, BUFFER_SIZE);
    view.setUint32(0, address, true);
    view.setUint32(4, size, true);
    view.setUint32(8, 0, true);
  }

  private positionOf(buffer: number): number {
    return new DataView(this.zstd.memory.buffer, buffer, BUFFER_SIZE).getUint32(8, true);
  }
}

let loading: Promise<Zstd> | undefined;

/**
 * The functions of zstd in the library, which itself decompresses only what has arrived as a whole.
 */
function loadZstd(): Promise<Zstd> {
  loading ??= new Promise<Zstd>((resolve, reject) => {
    class Loader extends ZSTDDecoder {
      // The library has no other way to its functions.
      override _init = (source: { readonly instance: { readonly exports: object } }): void => {
        // oxlint-disable-next-line no-underscore-dangle -- the name in the library's types
        super._init(source);
        resolve(source.instance.exports as unknown as Zstd);
      };
    }
    new Loader().init().catch(reject);
  });
  return loading;
}
