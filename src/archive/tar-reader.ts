import type { Header } from 'tar/header';
import { BLOCK, MAX_METADATA, TarHeaders } from './tar-format.js';

/** One member of a tar archive that is read as a stream. */
export interface StreamedMember {
  readonly kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  /** As it is written in the archive; it may be absolute or hostile. */
  readonly name: string;
  /** What a link points to. */
  readonly target: string;
  /** Permission bits. */
  readonly mode: number;
  /** Of its content in the archive, in bytes. */
  readonly size: number;
  /** Stored as a map and fragments, so that its content is not that of the file. */
  readonly isSparse: boolean;
}

/** Receives the content of a member. */
export interface ContentSink {
  /** The next part; it is valid only during the call. Returns whether more is wanted. */
  write(part: Buffer): boolean;
  end(): void;
}

/** An archive that cannot be read as one. */
export class TarError extends Error {}

const KINDS: Readonly<Record<string, StreamedMember['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  SparseFile: 'file',
  GNUDumpDir: 'directory',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
};

/** Members of these kinds have no content, whatever their size says (Go, archive/tar). */
const WITHOUT_CONTENT = new Set([
  'Link',
  'SymbolicLink',
  'CharacterDevice',
  'BlockDevice',
  'Directory',
  'FIFO',
]);

/** Offsets of the flags of the old GNU format that say that a block of its sparse map follows. */
const SPARSE_FLAG = 482;
const SPARSE_BLOCK_FLAG = 504;

/**
 * Reads a tar archive (ustar, pax and GNU) from chunks of any size, in flat memory. Everything is
 * done inside {@link TarReader.write}, so that what a small chunk decompresses to is not queued.
 * Content after the end of the archive is ignored, as runtimes do.
 */
export class TarReader {
  private readonly headers = new TarHeaders();
  /** Bytes of a header, or of metadata, until it is complete. */
  private readonly parts: Buffer[] = [];
  private collected = 0;
  private wanted = BLOCK;
  /** What the bytes that are collected are. */
  private state: 'header' | 'metadata' | 'sparse-map' | 'content' | 'end' = 'header';
  private metadata: Header | undefined;
  /** Left of the content, and of the padding behind it. */
  private content = 0;
  private padding = 0;
  private sink: ContentSink | undefined;
  private members = 0;

  /** @param onMember returns what receives the content of a file, if it is wanted */
  constructor(private readonly onMember: (member: StreamedMember) => ContentSink | undefined) {}

  /** @throws {TarError} if it is not a tar archive, or is damaged. */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && this.state !== 'end';) {
      at += this.state === 'content' ? this.pass(chunk, at) : this.collect(chunk, at);
    }
  }

  /** @throws {TarError} if the archive is cut short. */
  end(): void {
    // Some programs leave out the blocks that mark the end.
    const isComplete = this.state === 'header' && this.collected === 0;
    if (!isComplete && this.state !== 'end') throw new TarError('it is truncated');
  }

  private pass(chunk: Buffer, at: number): number {
    const length = Math.min(this.content, chunk.length - at);
    this.content -= length;
    if (length > 0 && this.sink?.write(chunk.subarray(at, at + length)) === false) this.endSink();
    const skipped = Math.min(this.padding, chunk.length - at - length);
    if (this.content === 0) {
      this.endSink();
      this.padding -= skipped;
      if (this.padding === 0) this.expect('header', BLOCK);
    }
    return length + skipped;
  }

  private endSink(): void {
    this.sink?.end();
    this.sink = undefined;
  }

  private collect(chunk: Buffer, at: number): number {
    const length = Math.min(this.wanted - this.collected, chunk.length - at);
    this.parts.push(chunk.subarray(at, at + length));
    this.collected += length;
    if (this.collected < this.wanted) {
      // The chunk may be used again by its owner.
      this.parts.push(Buffer.from(this.parts.pop()!));
      return length;
    }
    const all = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    if (this.state === 'header') this.header(all);
    else if (this.state === 'sparse-map') this.sparseMap(all);
    else {
      this.headers.add(this.metadata!, all.subarray(0, this.metadata!.size ?? 0));
      this.expect('header', BLOCK);
    }
    return length;
  }

  private expect(state: 'header' | 'metadata' | 'sparse-map', wanted: number): void {
    this.state = state;
    this.wanted = wanted;
    this.parts.length = this.collected = 0;
  }

  private header(block: Buffer): void {
    const header = this.decode(block);
    if (header.nullBlock) {
      this.state = 'end';
      return;
    }
    if (!header.cksumValid) {
      throw new TarError(
        this.members === 0 ? 'it is not a tar archive' : 'a header has an invalid checksum',
      );
    }
    const size = WITHOUT_CONTENT.has(header.type) ? 0 : (header.size ?? 0);
    if (!Number.isSafeInteger(size) || size < 0)
      throw new TarError('the size of a file is invalid');
    this.members += 1;
    if (this.headers.isMetadata(header)) {
      if (size > MAX_METADATA) {
        throw new TarError(`an extended header has ${size} bytes, more than ${MAX_METADATA}`);
      }
      this.metadata = header;
      if (size === 0) this.headers.add(header, Buffer.alloc(0));
      this.expect(size === 0 ? 'header' : 'metadata', size === 0 ? BLOCK : padded(size));
      return;
    }
    const kind = KINDS[header.type] ?? 'other';
    this.content = size;
    this.padding = padded(size) - size;
    const names = this.headers.take(header);
    this.sink = this.onMember({ kind, mode: header.mode ?? 0, size, ...names });
    if (header.type === 'SparseFile' && block[SPARSE_FLAG] !== 0) this.expect('sparse-map', BLOCK);
    else this.startContent();
  }

  private sparseMap(block: Buffer): void {
    if (block[SPARSE_BLOCK_FLAG] === 0) this.startContent();
    else this.expect('sparse-map', BLOCK);
  }

  private startContent(): void {
    if (this.content > 0) {
      this.state = 'content';
      return;
    }
    this.endSink();
    this.expect('header', BLOCK);
  }

  private decode(block: Buffer): Header {
    try {
      return this.headers.decode(block);
    } catch (error) {
      throw new TarError('a header is invalid', { cause: error });
    }
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
