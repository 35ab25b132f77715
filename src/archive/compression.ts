import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { yieldToEventLoop } from '../concurrency.js';
import { systemCode } from '../errors.js';

/** How an archive or a layer is compressed. */
export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** The longest of {@link MAGIC}, in bytes. */
export const MAGIC_LENGTH = 5;

/** How content is compressed, by its first {@link MAGIC_LENGTH} bytes; undefined if it is not. */
export function compressionOf(start: Uint8Array): Compression | undefined {
  const isSkippable = start[0] !== undefined && start[0] >>> 4 === 5 && hasSkippableMagic(start);
  if (isSkippable) return 'zstd';
  return MAGIC.find(([, magic]) => magic.every((byte, i) => start[i] === byte))?.[0];
}

/** A skippable frame (RFC 8878, section 3.1.2), with which a zstd file may begin. */
function hasSkippableMagic(start: Uint8Array): boolean {
  return start[1] === 0x2a && start[2] === 0x4d && start[3] === 0x18;
}

/** Compressed content that is damaged. */
export class CompressionError extends Error {}

/** Content that is compressed in a way that cannot be read. */
export class UnsupportedCompression extends Error {}

const CHUNK_SIZE = 256 * 1024;

/**
 * Reads content to its end and passes it on, decompressed by what its first bytes say it is; each
 * part is used when `onPart` returns, so that no more than one is held.
 * @throws {CompressionError} if it is damaged, cut short or followed by something else.
 * @throws {UnsupportedCompression} if it is compressed with anything but gzip and zstd.
 * @throws the error of `content` or `onPart`, or the reason of `signal`.
 */
export async function decompress(
  content: AsyncIterable<Uint8Array>,
  onPart: (part: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const source = content[Symbol.asyncIterator]();
  const first = await firstBytes(source);
  const whole = continued(first, source);
  const compression = compressionOf(first);
  if (compression === undefined) return eachPart(whole, onPart, signal);
  if (compression === 'gzip') return gunzip(whole, onPart, signal);
  if (compression === 'zstd') return unzstd(whole, onPart, signal);
  await source.return?.();
  throw new UnsupportedCompression(`it is compressed with ${compression}, which is not supported`);
}

/** Enough bytes to tell how the content is compressed, unless there are fewer. */
async function firstBytes(source: AsyncIterator<Uint8Array>): Promise<Buffer> {
  let first = Buffer.alloc(0);
  while (first.length < MAGIC_LENGTH) {
    const next = await source.next();
    if (next.done === true) break;
    first = Buffer.concat([first, next.value]);
  }
  return first;
}

async function* continued(
  first: Buffer,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  let hasEnded = false;
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const next = await source.next();
      if (next.done === true) {
        hasEnded = true;
        return;
      }
      yield bufferOf(next.value);
    }
  } finally {
    if (!hasEnded) await source.return?.();
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function eachPart(
  parts: AsyncIterable<Buffer>,
  onPart: (part: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const part of parts) {
    signal.throwIfAborted();
    onPart(part);
  }
}

const GZIP_FAULT = 'its gzip data is damaged, incomplete or followed by something else';

async function gunzip(
  content: AsyncIterable<Buffer>,
  onPart: (part: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  let isRead = false;
  const source = async function* source(): AsyncGenerator<Buffer, void, undefined> {
    yield* content;
    isRead = true;
  };
  const consume = (parts: AsyncIterable<Buffer>): Promise<void> => eachPart(parts, onPart, signal);
  try {
    await pipeline(source(), createGunzip({ chunkSize: CHUNK_SIZE }), consume, { signal });
  } catch (error) {
    if (
      !/^(?:Z_|ERR_STREAM_PREMATURE_CLOSE|ERR_STREAM_WRITE_AFTER_END)/.test(systemCode(error) ?? '')
    )
      throw error;
    throw new CompressionError(GZIP_FAULT, { cause: error });
  }
  if (!isRead) throw new CompressionError(GZIP_FAULT);
}

async function unzstd(
  content: AsyncIterable<Buffer>,
  onPart: (part: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { ZstdDecompressor, ZstdError } = await import('./zstd.js');
  const decompressor = await ZstdDecompressor.create();
  try {
    for await (const chunk of content) {
      let length = 0;
      for (const part of decompressor.decompress(chunk)) {
        onPart(part);
        // A small chunk may stand for a thousand times as much.
        length += part.length;
        if (length < CHUNK_SIZE) continue;
        length = 0;
        await yieldToEventLoop();
        signal.throwIfAborted();
      }
      signal.throwIfAborted();
    }
    decompressor.end();
  } catch (error) {
    if (!(error instanceof ZstdError)) throw error;
    throw new CompressionError('its zstd data is damaged or incomplete', { cause: error });
  } finally {
    decompressor.free();
  }
}
