import { present } from '../oci/json/fields.js';
import { CompressionError, decompress, UnsupportedCompression } from '../archive/compression.js';
import {
  TarError,
  TarReader,
  type ContentSink,
  type StreamedMember,
} from '../archive/tar-reader.js';
import { ARM_TAIL, armVersionOf } from './arm-attributes.js';
import { MAX_HEADER, mayBeProgram, parseProgram, type Program } from './program.js';

/** A file of a layer, as far as it matters for what an image starts. */
export type FileNode =
  | { readonly kind: 'program'; readonly program: Program; readonly isExecutable: boolean }
  | {
      readonly kind: 'script';
      /** The file, or the beginning of one that is long. */
      readonly text: string;
      readonly isExecutable: boolean;
    }
  /** Anything else; `isExecutable` of data means that a shell may run it. */
  | { readonly kind: 'data'; readonly isExecutable: boolean };

/** One change that a layer makes, in the order of the layer (OCI image-spec, layer.md). */
export type LayerEntry = { readonly path: string } & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink' | 'hardlink'; readonly target: string }
  | { readonly kind: 'file'; readonly file: FileNode }
);

/** What a layer holds. */
export interface Layer {
  readonly entries: readonly LayerEntry[];
  /** Files that are stored sparse; they are not read. */
  readonly sparse: readonly string[];
}

/** Why a layer cannot be read; `unsupported` is a compression that this program does not have. */
export type LayerFault = 'damaged' | 'unsupported' | 'too-large';

/** A layer that cannot be read. */
export class LayerError extends Error {
  constructor(
    readonly fault: LayerFault,
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** Upper bound of the files of a layer, and of the length of their paths in all, in characters. */
const MAX_ENTRIES = 1_000_000;
const MAX_PATHS = 128 * 1024 * 1024;

/** Upper bound of one path (Linux, PATH_MAX). */
const MAX_PATH = 4096;

/** How much of a script is kept, and of all scripts of a layer before only their first line is. */
const MAX_SCRIPT = 64 * 1024;
const MAX_SCRIPTS = 16 * 1024 * 1024;
/** The kernel reads no more of the line that names the interpreter (Linux, BINPRM_BUF_SIZE). */
const FIRST_LINE = 256;

const DATA: FileNode = { kind: 'data', isExecutable: false };
const EXECUTABLE_DATA: FileNode = { kind: 'data', isExecutable: true };

/**
 * Reads a layer to its end (tar; plain, gzip or zstd) and keeps the header of each file with native
 * code, the text of scripts, and the paths of everything else.
 * @throws {LayerError} if it is damaged, has too many files, or is compressed in another way.
 * @throws the error of `content`, or the reason of `signal`.
 */
export async function readLayer(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Layer> {
  const collector = new LayerCollector();
  const tar = new TarReader((member) => collector.add(member));
  try {
    await decompress(content, (part) => tar.write(part), signal);
    tar.end();
  } catch (error) {
    if (error instanceof UnsupportedCompression)
      throw new LayerError('unsupported', error.message, error);
    if (error instanceof TarError || error instanceof CompressionError)
      throw new LayerError('damaged', error.message, error);
    throw error;
  }
  return collector;
}

class LayerCollector implements Layer {
  readonly entries: LayerEntry[] = [];
  readonly sparse: string[] = [];
  private paths = 0;
  private scripts = 0;

  add(member: StreamedMember): ContentSink | undefined {
    const { kind, name: path, target, size, mode, isSparse } = member;
    this.paths += path.length + target.length;
    if (this.entries.length >= MAX_ENTRIES)
      throw new LayerError('too-large', `it has more than ${MAX_ENTRIES} files`);
    if (path.length > MAX_PATH)
      throw new LayerError(
        'too-large',
        `a path has ${path.length} characters, more than ${MAX_PATH}`,
      );
    if (this.paths > MAX_PATHS)
      throw new LayerError('too-large', `its paths have more than ${MAX_PATHS} characters`);
    if (kind === 'directory') this.entries.push({ kind, path });
    else if (kind === 'symlink' || kind === 'hardlink') this.entries.push({ kind, path, target });
    else {
      const isExecutable = (mode & 0o111) !== 0;
      const data = isExecutable ? EXECUTABLE_DATA : DATA;
      const index = this.entries.push({ kind: 'file', path, file: data }) - 1;
      if (kind === 'file' && isSparse) this.sparse.push(path);
      else if (kind === 'file' && size > 0) {
        return new Probe((start, tail) => {
          const file = this.fileOf(start, isExecutable, tail, size);
          if (file !== undefined) this.entries[index] = { kind: 'file', path, file };
        });
      }
    }
    return undefined;
  }

  private fileOf(
    start: Buffer,
    isExecutable: boolean,
    tail: Buffer,
    size: number,
  ): FileNode | undefined {
    if (isScript(start)) {
      const isFull = this.scripts + start.length > MAX_SCRIPTS;
      const kept = isFull ? start.subarray(0, FIRST_LINE) : start;
      this.scripts += kept.length;
      return { kind: 'script', text: kept.toString('utf8'), isExecutable };
    }
    const program = parseProgram(start);
    if (program === undefined) return undefined;
    const armVersion = isArm(program) ? armVersionOf(start, tail, size) : undefined;
    return {
      kind: 'program',
      program: { ...program, ...present('armVersion', armVersion) },
      isExecutable,
    };
  }
}

function isScript(start: Buffer): boolean {
  return start[0] === 0x23 && start[1] === 0x21;
}

function isArm({ format, architectures: [architecture] }: Program): boolean {
  return format === 'ELF' && architecture === 'arm';
}

/** The end of content that arrives in parts. */
class Tail {
  private readonly parts: Buffer[] = [];
  private length = 0;

  add(part: Buffer): void {
    this.parts.push(Buffer.from(part));
    this.length += part.length;
    while (this.length - this.parts[0]!.length >= ARM_TAIL)
      this.length -= this.parts.shift()!.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

/** Collects as much of a file as is needed to tell what it is; of a program for arm also its end. */
class Probe implements ContentSink {
  private readonly magic = Buffer.alloc(4);
  private start = this.magic;
  private length = 0;
  private tail: Tail | undefined;

  constructor(private readonly done: (start: Buffer, tail: Buffer) => void) {}

  write(part: Buffer): boolean {
    if (this.tail !== undefined) {
      this.tail.add(part);
      return true;
    }
    const copied = part.copy(this.start, this.length);
    this.length += copied;
    if (this.length < this.start.length) return true;
    if (this.start !== this.magic) return this.startTail(part.subarray(copied));
    const wanted = isScript(this.magic) ? MAX_SCRIPT : mayBeProgram(this.magic) ? MAX_HEADER : 0;
    if (wanted === 0) return false;
    this.start = Buffer.alloc(wanted);
    this.magic.copy(this.start);
    return this.write(part.subarray(copied));
  }

  private startTail(rest: Buffer): boolean {
    const program = parseProgram(this.start);
    if (program === undefined || !isArm(program)) return false;
    this.tail = new Tail();
    this.tail.add(this.start);
    return this.write(rest);
  }

  end(): void {
    const start = this.start.subarray(0, this.length);
    this.done(start, this.tail?.bytes() ?? start);
  }
}
