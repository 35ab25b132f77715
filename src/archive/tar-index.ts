import type { FileHandle } from 'node:fs/promises';
import type { Header } from 'tar/header';
import { damaged, unusable } from './errors.js';
import { BLOCK, MAX_METADATA, TarHeaders } from './tar-format.js';

/** Upper bound of the number of members. */
const MAX_MEMBERS = 100_000;

const MAKE_HINT =
  'make an archive with "docker save", "skopeo copy docker://IMAGE oci-archive:FILE:TAG", ' +
  'or "docker buildx build --output type=oci,dest=FILE"';

const KINDS: Readonly<Record<string, Member['kind']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
};

/** A tar archive that is open for reading and not compressed. */
export interface TarFile {
  /** The name of the archive, for messages. */
  readonly path: string;
  readonly handle: FileHandle;
  /** In bytes. */
  readonly size: number;
}

/** One member of an archive. */
export interface Member {
  /** What it is: only the content of a `file` can be read. */
  readonly kind: 'file' | 'symlink' | 'hardlink' | 'other';
  /** Where its content begins in the archive. */
  readonly offset: number;
  /** Of its content, in bytes. */
  readonly size: number;
  /** What a link points to. */
  readonly target: string;
  /** Whether the archive has several members of that name; this is the last one. */
  readonly isRepeated: boolean;
}

/**
 * Finds all members of a tar archive (ustar, pax and GNU) by seeking from header to header. Nothing
 * is unpacked: a name is a key and never a path, so a hostile one (`../x`, `/etc/passwd`) reaches
 * nothing.
 * @throws {ManifestToolError} FAILED if it is not a tar archive; CORRUPT if it is damaged, cut
 * short, or beyond the limits for members and metadata.
 * @throws the reason of `signal`.
 */
export async function indexTar(
  what: string,
  file: TarFile,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Member>> {
  const members = new Map<string, Member>();
  const headers = new TarHeaders();
  for (let position = 0; ;) {
    signal.throwIfAborted();
    const block = await readExactly(file, position, BLOCK);
    // Some programs leave out the blocks that mark the end.
    if (block.length === 0 && position > 0) return members;
    if (block.length < BLOCK) throw position === 0 ? notTar(what, file) : cutShort(what, file);
    const header = decode(what, file, block, headers);
    if (header.nullBlock) {
      await checkEnd(what, file, position + BLOCK);
      return members;
    }
    if (!header.cksumValid) {
      throw position === 0
        ? notTar(what, file)
        : damaged(what, file.path, `the header at byte ${position} has an invalid checksum`);
    }
    const size = header.size ?? 0;
    const offset = position + BLOCK;
    const end = offset + size;
    if (!Number.isSafeInteger(end))
      throw damaged(what, file.path, 'the size of a member is invalid');
    if (end > file.size) throw cutShort(what, file);
    position = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (headers.isMetadata(header)) {
      headers.add(header, await metadata(what, file, offset, size));
      continue;
    }
    const { name: written, target, isSparse } = headers.take(header);
    // No tool writes sparse files for images.
    if (isSparse) throw damaged(what, file.path, 'it has sparse members');
    const name = normalName(written);
    const isRepeated = members.has(name);
    members.set(name, { kind: kindOf(header), offset, size, target, isRepeated });
    if (members.size > MAX_MEMBERS) {
      throw damaged(what, file.path, `it has more than ${MAX_MEMBERS} members`);
    }
  }
}

/** `./blobs/` and `blobs` are the same member; nothing else is changed. */
export function normalName(name: string): string {
  return name.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '');
}

/** Reads up to `length` bytes; fewer at the end of the file. */
export async function readExactly(
  { handle }: Pick<TarFile, 'handle'>,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

function decode(what: string, file: TarFile, block: Buffer, headers: TarHeaders): Header {
  try {
    return headers.decode(block);
  } catch (error) {
    throw damaged(what, file.path, 'a header is invalid', error);
  }
}

function kindOf({ type }: Header): Member['kind'] {
  return KINDS[type] ?? 'other';
}

async function metadata(
  what: string,
  file: TarFile,
  offset: number,
  size: number,
): Promise<Buffer> {
  if (size <= MAX_METADATA) return readExactly(file, offset, size);
  const why = `an extended header has ${size} bytes, more than ${MAX_METADATA}`;
  throw damaged(what, file.path, why);
}

/** Refuses content after the end marker, a block of zeros: readers differ on whether it counts. */
async function checkEnd(what: string, file: TarFile, position: number): Promise<void> {
  const block = await readExactly(file, position, BLOCK);
  if (block.some((byte) => byte !== 0)) {
    throw damaged(what, file.path, `there is content after its end, at byte ${position}`);
  }
}

function notTar(what: string, { path }: TarFile): Error {
  return unusable(what, `${path} is not a tar archive`, MAKE_HINT);
}

function cutShort(what: string, { path }: TarFile): Error {
  return damaged(what, path, 'it is truncated');
}
