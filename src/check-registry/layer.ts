import { gzipSync } from 'node:zlib';

const BLOCK = 512;

/** A layer of an image: a tar archive of one file, and the same compressed. */
export function makeLayer(
  name: string,
  text: string,
): { readonly tar: Uint8Array; readonly gzip: Uint8Array } {
  const content = Buffer.from(text);
  const blocks = Math.ceil(content.length / BLOCK);
  // Two blocks of zeros end an archive.
  const tar = Buffer.alloc((1 + blocks + 2) * BLOCK);
  header(name, content.length).copy(tar);
  content.copy(tar, BLOCK);
  return { tar, gzip: gzipSync(tar) };
}

/** The header of a regular file (POSIX.1-1988, ustar Interchange Format). */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void =>
    void block.write(value.toString(8).padStart(length - 1, '0'), at);
  block.write(name, 0);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write('0', 156);
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263);
  // The sum is taken with blanks where it stands.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
