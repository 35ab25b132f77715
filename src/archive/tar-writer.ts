import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import type { Chunks } from '../layout/blobs.js';
import { temporaryPath } from '../layout/paths.js';

const BLOCK = 512;

/** The name of a member that could not be completed; other programs ignore it. */
const INCOMPLETE = 'incomplete';

/**
 * Writes a tar archive to a temporary file, which is renamed when it is complete. The size of each
 * member is known before its content, so several members are written at the same time, each in its
 * own range of the file.
 */
export class TarWriter {
  private end = 0;
  private readonly running = new Set<Promise<void>>();

  private constructor(
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  static async create(target: string): Promise<TarWriter> {
    const temporary = temporaryPath(target);
    return new TarWriter(temporary, await open(temporary, 'wx'));
  }

  /**
   * Adds a member. `write` may be repeated: it gets a function that writes the whole content.
   * @param size of the content, in bytes; the content must have exactly that many
   * @throws what `write` throws; the member then does not exist under its name.
   */
  async add(
    name: string,
    size: number,
    write: (store: (content: Chunks) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const header = headerOf(name, size);
    const start = this.end;
    this.end += header.length + Math.ceil(size / BLOCK) * BLOCK;
    const store = (content: Chunks): Promise<void> => this.store(start + header.length, content);
    const writing = write(store).then(
      () => this.write(header, start),
      async (error: unknown) => {
        await this.write(headerOf(INCOMPLETE, size, header.length), start);
        throw error;
      },
    );
    const settled = writing.catch(() => undefined);
    this.running.add(settled);
    try {
      await writing;
    } finally {
      this.running.delete(settled);
    }
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Ends the archive, flushes it to the device, and renames it to `target`, which it replaces. */
  async finish(target: string): Promise<void> {
    await this.idle();
    await this.handle.truncate(this.end);
    await this.handle.truncate(this.end + 2 * BLOCK);
    await this.handle.sync();
    await this.handle.close();
    await rename(this.temporary, target);
  }

  /** Removes the file; nothing happens if it has been finished. */
  async abandon(): Promise<void> {
    await this.idle();
    await this.handle.close();
    await rm(this.temporary, { force: true });
  }

  private async store(start: number, content: Chunks): Promise<void> {
    let position = start;
    for await (const chunk of content) {
      await this.write(chunk, position);
      position += chunk.length;
    }
  }

  private async write(bytes: Uint8Array, start: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const left = bytes.length - done;
      const { bytesWritten } = await this.handle.write(bytes, done, left, start + done);
      done += bytesWritten;
    }
  }
}

/**
 * The header of a file, with an extended header before it if its name or size needs one. The same
 * content gives the same archive: all times are 0.
 * @param length pads the name, so that the header has that many bytes
 */
function headerOf(name: string, size: number, length?: number): Buffer {
  const data = { path: name, size, mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) };
  const header = new Header({ ...data, type: 'File' });
  header.encode();
  const needsPax = length === undefined ? header.needPax : length > BLOCK;
  if (!needsPax) return header.block!;
  return Buffer.concat([new Pax({ path: name, size, mtime: data.mtime }).encode(), header.block!]);
}
