import type { FileHandle } from 'node:fs/promises';
import { pause } from '../../concurrency.js';
import { interrupted, ManifestToolError, reasonOf, systemCode } from '../../errors.js';
import type { Options } from '../args/values.js';
import { jsonText } from './json.js';
import type { ResultDocument } from './result.js';

interface ResultFile {
  /** The action, for errors. */
  readonly what: string;
  readonly handle: FileHandle;
  readonly content: Content;
}

/** The text of a file. */
interface Content {
  one(result: ResultDocument): string;
  /** For several specs that are published together. */
  several(results: readonly ResultDocument[]): string;
}

const DIGEST: Content = {
  one: ({ digest }) => digest,
  several: (results) => results.map(({ digest }) => `${digest}\n`).join(''),
};

const METADATA: Content = {
  one: (result) => jsonText(metadata(result)),
  several: (results) =>
    jsonText(Object.fromEntries(results.map((result) => [result.target, metadata(result)]))),
};

/** The content of `--metadata-file`, with the keys of buildx. */
function metadata({ mediaType, digest, size, tags, target }: ResultDocument): object {
  const names = tags.length === 0 ? [target] : tags.map(({ name }) => name);
  return {
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    'image.name': names.join(','),
  };
}

/** How often a named pipe is tried that nothing reads yet, in milliseconds. */
const READER_POLL_MS = 20;

/**
 * The files for a result. They are opened before anything is published, so that one that cannot be
 * written is found in time.
 */
export class ResultFiles {
  private readonly files: ResultFile[] = [];

  private constructor(private readonly signal: AbortSignal) {}

  /**
   * @param signal ends the wait for a reader of a named pipe
   * @throws {ManifestToolError} USAGE for a file that cannot be written.
   */
  static async open(
    { digestfile, metadataFile }: Options<'digestfile' | 'metadata-file'>,
    signal: AbortSignal,
  ): Promise<ResultFiles> {
    const files = new ResultFiles(signal);
    try {
      await files.add('--digestfile', digestfile, DIGEST);
      await files.add('--metadata-file', metadataFile, METADATA);
    } catch (error) {
      await files.close();
      throw error;
    }
    return files;
  }

  private async add(option: string, path: string | undefined, content: Content): Promise<void> {
    if (path === undefined) return;
    const what = `writing ${option} ${path}`;
    try {
      // The old content stays until the new one is known.
      this.files.push({ what, handle: await openToAppend(path, this.signal), content });
    } catch (error) {
      if (this.signal.aborted) throw interrupted(what, error);
      throw new ManifestToolError('USAGE', what, reasonOf(error), {
        cause: error,
        hint: 'use a file in an existing, writable directory',
      });
    }
  }

  /** @throws {ManifestToolError} FAILED if the device is full, for example. */
  async writeOne(result: ResultDocument): Promise<void> {
    for (const file of this.files) await write(file, file.content.one(result));
  }

  /** @throws {ManifestToolError} FAILED if the device is full, for example. */
  async writeSeveral(results: readonly ResultDocument[]): Promise<void> {
    for (const file of this.files) await write(file, file.content.several(results));
  }

  async close(): Promise<void> {
    await Promise.all(this.files.map(({ handle }) => handle.close()));
  }
}

/**
 * Opens a file to write at its end; waits until a named pipe has a reader. Without `O_NONBLOCK`, a
 * thread would wait in open(2), which no signal ends.
 */
async function openToAppend(path: string, signal: AbortSignal): Promise<FileHandle> {
  const { constants, open, stat } = process.getBuiltinModule('node:fs/promises');
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
  for (;;) {
    try {
      return await open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK);
    } catch (error) {
      if (systemCode(error) !== 'ENXIO' || !(await stat(path)).isFIFO()) throw error;
      await pause(READER_POLL_MS, signal);
    }
  }
}

async function write({ what, handle }: ResultFile, text: string): Promise<void> {
  try {
    // A pipe or a device has no length.
    if ((await handle.stat()).isFile()) await handle.truncate(0);
    await handle.writeFile(text);
  } catch (error) {
    throw new ManifestToolError('FAILED', what, reasonOf(error), {
      cause: error,
      hint: 'the publish itself succeeded: query shows the digest',
    });
  }
}
