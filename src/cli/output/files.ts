import type { FileHandle } from 'node:fs/promises';
import { ManifestToolError, reasonOf } from '../../errors.js';
import type { Parsed } from '../command.js';
import type { OptionName } from '../args/options.js';
import { metadataText, type ResultDocument } from './result.js';
import { value } from '../options/connection.js';

const WRITTEN: readonly (readonly [OptionName, (result: ResultDocument) => string])[] = [
  ['digestfile', ({ digest }) => digest],
  ['metadata-file', metadataText],
];

interface ResultFile {
  readonly what: string;
  readonly handle: FileHandle;
  readonly text: (result: ResultDocument) => string;
}

/** The files for a result, opened before anything is published: one that cannot be written must not be found out afterwards. */
export class ResultFiles {
  private constructor(private readonly files: readonly ResultFile[]) {}

  /** @throws {ManifestToolError} USAGE where one cannot be written. */
  static async open(parsed: Parsed): Promise<ResultFiles> {
    const files: ResultFile[] = [];
    for (const [option, text] of WRITTEN) {
      const path = value(parsed, option);
      if (path === undefined) continue;
      const what = `writing --${option} ${path}`;
      try {
        // What is in it stays until there is something to take its place.
        const { open } = process.getBuiltinModule('node:fs/promises');
        files.push({ what, handle: await open(path, 'a'), text });
      } catch (error) {
        throw new ManifestToolError('USAGE', what, reasonOf(error), {
          cause: error,
          hint: 'name a file in a directory that exists and can be written to',
        });
      }
    }
    return new ResultFiles(files);
  }

  /** @throws {ManifestToolError} FAILED where the device is full, for example. */
  async write(result: ResultDocument): Promise<void> {
    for (const file of this.files) await this.writeTo(file, file.text(result));
  }

  /** The results of several lists: digests a line each, descriptors by the names of their lists. */
  async writeAll(results: readonly ResultDocument[]): Promise<void> {
    for (const file of this.files) {
      const texts = results.map((result) => [result.target, file.text(result)] as const);
      const isJson = file.text === metadataText;
      const text = isJson
        ? `${JSON.stringify(Object.fromEntries(texts.map(([name, each]) => [name, JSON.parse(each) as unknown])), undefined, 2)}\n`
        : texts.map(([, each]) => `${each}\n`).join('');
      await this.writeTo(file, text);
    }
  }

  private async writeTo({ what, handle }: ResultFile, text: string): Promise<void> {
    try {
      // A pipe or a device has no length.
      if ((await handle.stat()).isFile()) await handle.truncate(0);
      await handle.writeFile(text);
    } catch (error) {
      throw new ManifestToolError('FAILED', what, reasonOf(error), {
        cause: error,
        hint: 'what was asked for is published all the same: query shows its digest',
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map(({ handle }) => handle.close()));
  }
}
