import { open, type FileHandle } from 'node:fs/promises';
import { ManifestToolError, reasonOf } from '../errors.js';

/** A file for a result, opened before anything is published: one that cannot be written must not be found out afterwards. */
export class ResultFile {
  private constructor(
    private readonly what: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws {ManifestToolError} USAGE where it cannot be written. */
  static async open(option: string, path: string): Promise<ResultFile> {
    const what = `writing --${option} ${path}`;
    try {
      // What is in it stays until there is something to take its place.
      return new ResultFile(what, await open(path, 'a'));
    } catch (error) {
      throw new ManifestToolError('USAGE', what, reasonOf(error), { cause: error });
    }
  }

  /** @throws {ManifestToolError} FAILED where the device is full, for example. */
  async write(text: string): Promise<void> {
    try {
      await this.handle.truncate(0);
      await this.handle.writeFile(text);
    } catch (error) {
      throw new ManifestToolError('FAILED', this.what, reasonOf(error), { cause: error });
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
