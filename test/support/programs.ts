import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';

/** The targets of {@link programFor}. */
export type Target =
  | 'linux/amd64'
  | 'linux/386'
  | 'linux/arm'
  | 'linux/arm64'
  | 'linux/ppc64'
  | 'linux/ppc64le'
  | 'linux/s390x'
  | 'linux/riscv64'
  | 'linux/loong64'
  | 'linux/mips'
  | 'linux/mipsle'
  | 'linux/mips64'
  | 'linux/mips64le'
  | 'windows/386'
  | 'windows/amd64'
  | 'windows/arm64'
  | 'darwin/amd64'
  | 'darwin/arm64';

/** The first 1024 bytes of a program that Go has compiled for a target (fixtures/executables). */
export function programFor(target: Target): Buffer {
  const name = target.replace('/', '-');
  return readFileSync(new URL(`../../fixtures/executables/${name}.bin`, import.meta.url));
}

/** A fat Mach-O file of Mach-O files (Apple, mach-o/fat.h). */
export function fatFile(...parts: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(8 + 20 * parts.length);
  header.writeUInt32BE(0xcafebabe, 0);
  header.writeUInt32BE(parts.length, 4);
  const aligned = 4096;
  for (const [i, part] of parts.entries()) {
    const at = 8 + 20 * i;
    header.writeUInt32BE(part.readUInt32LE(4), at);
    header.writeUInt32BE(part.readUInt32LE(8), at + 4);
    header.writeUInt32BE(aligned * (i + 1), at + 8);
    header.writeUInt32BE(part.length, at + 12);
    header.writeUInt32BE(12, at + 16);
  }
  const file = Buffer.alloc(aligned * (parts.length + 1));
  header.copy(file);
  for (const [i, part] of parts.entries()) part.copy(file, aligned * (i + 1));
  return file;
}

/**
 * A file for arm with build attributes of this Tag_CPU_arch in a section behind `length` bytes (Arm,
 * ABI for the Arm Architecture, Addenda, section 3).
 */
export function armFile(cpuArch: number, length = 2000): Buffer {
  const section = Buffer.concat([
    Buffer.from('A'),
    Buffer.alloc(4),
    Buffer.from('aeabi\0'),
    Buffer.from([1, 0, 0, 0, 0]),
    // Tag_CPU_name is a string.
    Buffer.from([5, 0x37, 0x2d, 0x41, 0, 6, cpuArch]),
  ]);
  const table = Buffer.alloc(80);
  table.writeUInt32LE(0x70000003, 40 + 4);
  table.writeUInt32LE(length, 40 + 16);
  table.writeUInt32LE(section.length, 40 + 20);
  const start = Buffer.alloc(length);
  programFor('linux/arm').copy(start);
  start.writeUInt32LE(length + section.length, 32);
  start.writeUInt16LE(40, 46);
  start.writeUInt16LE(2, 48);
  return Buffer.concat([start, section, table]);
}

/** What a path of a layer is: content, a link, or a directory. */
export type LayerFile =
  | Buffer
  | string
  | { readonly content: Buffer | string; readonly mode: number }
  | { readonly symlink: string }
  | { readonly hardlink: string }
  | { readonly isDirectory: true };

/** A tar archive with these members, in their order; a string is the content of an executable file. */
export function layerOf(files: Readonly<Record<string, LayerFile>>): Buffer {
  const blocks = Object.entries(files).flatMap(([path, file]) => member(path, file));
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function gzipped(files: Readonly<Record<string, LayerFile>>): Buffer {
  return gzipSync(layerOf(files));
}

function member(path: string, file: LayerFile): Buffer[] {
  if (typeof file === 'string' || Buffer.isBuffer(file))
    return record({ path, type: 'File', mode: 0o755 }, Buffer.from(file));
  if ('isDirectory' in file) return record({ path: `${path}/`, type: 'Directory', mode: 0o755 });
  if ('symlink' in file)
    return record({ path, type: 'SymbolicLink', mode: 0o777, linkpath: file.symlink });
  if ('hardlink' in file)
    return record({ path, type: 'Link', mode: 0o755, linkpath: file.hardlink });
  return record({ path, type: 'File', mode: file.mode }, Buffer.from(file.content));
}

function record(
  data: {
    path: string;
    type: 'File' | 'Directory' | 'SymbolicLink' | 'Link';
    mode: number;
    linkpath?: string;
  },
  content = Buffer.alloc(0),
): Buffer[] {
  const header = new Header({ ...data, size: content.length, uid: 0, gid: 0, mtime: new Date(0) });
  header.encode();
  const extended = header.needPax
    ? [
        new Pax({
          path: data.path,
          ...(data.linkpath !== undefined && { linkpath: data.linkpath }),
        }).encode(),
      ]
    : [];
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return [...extended, header.block!, content, padding];
}

/**
 * Content as zstd frames of raw blocks (RFC 8878, section 3.1.1), each of at most `length` bytes: a
 * skippable frame, then a frame for each part.
 */
export function zstdFrames(content: Buffer, length = 64 * 1024): Buffer {
  const frames: Buffer[] = [Buffer.from('502a4d180300000061626364', 'hex').subarray(0, 11)];
  for (let at = 0; at < content.length; at += length) {
    const part = content.subarray(at, at + length);
    // A single segment with a content size of 4 bytes, and one raw block that is the last.
    const header = Buffer.alloc(12);
    header.writeUInt32LE(0xfd2fb528, 0);
    header.writeUInt8(0xa0, 4);
    header.writeUInt32LE(part.length, 5);
    header.writeUIntLE(part.length * 8 + 1, 9, 3);
    frames.push(header, part);
  }
  return Buffer.concat(frames);
}
