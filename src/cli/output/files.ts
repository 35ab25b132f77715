import type { FileHandle } from 'node:fs/promises';
import { pause } from '../../concurrency.js';
import { interrupted, ManifestToolError, fileReason, systemCode } from '../../errors.js';
import { imageEntries } from '../../oci/companions.js';
import type { ManifestContent } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { encodedPart } from '../../oci/digest.js';
import { parseDocument } from '../../oci/documents.js';
import { formatName, type Reference } from '../../oci/reference.js';
import type { Options } from '../args/values.js';
import { jsonText } from './json.js';
import type { ResultDocument } from './result.js';

/** A published index or image, and the targets it was published to. */
export interface PublishedContent {
  readonly result: Pick<ResultDocument, 'target'>;
  /** What the tags point to. */
  readonly root: ManifestContent;
  /** At least one. */
  readonly targets: readonly Reference[];
}

interface ResultFile {
  /** The action, for errors. */
  readonly what: string;
  readonly path: string;
  readonly handle: FileHandle;
  readonly content: Content;
}

/** The text of a file. */
interface Content {
  /** @param isSingle whether one thing was to be published, not several specs or tags */
  text(published: readonly PublishedContent[], isSingle: boolean): string;
  /** Whether the file keeps what it has. */
  readonly isAppended?: boolean;
}

const DIGEST: Content = {
  text: (published, isSingle) =>
    published.map(({ root }) => (isSingle ? root.digest : `${root.digest}\n`)).join(''),
};

const METADATA: Content = {
  text: (published, isSingle) =>
    jsonText(
      isSingle
        ? metadata(published[0]!)
        : Object.fromEntries(published.map((each) => [each.result.target, metadata(each)])),
    ),
};

/** The content of `--metadata-file`, with the keys of buildx. */
function metadata({ root, targets }: PublishedContent): object {
  const { mediaType, digest, size } = root;
  return {
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    'image.name': repositoriesOf(targets).join(','),
  };
}

const DOTENV: Content = {
  text: (published) => published.map(dotenv).join(''),
  isAppended: true,
};

/**
 * Lines KEY=VALUE that `$GITHUB_OUTPUT` and GitLab's dotenv reports accept: GitLab allows only
 * letters, digits and `_` in a key.
 */
function dotenv({ root, targets }: PublishedContent): string {
  const uses = new Map<string, number>();
  const platforms = entriesOf(root).flatMap(({ platform, digest }) => {
    if (platform === undefined) return [];
    const { os, architecture, variant, osVersion } = platform;
    const parts = [os, architecture, variant, osVersion].filter((part) => part !== undefined);
    const key = `digest_${parts.join('_').replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
    const count = (uses.get(key) ?? 0) + 1;
    uses.set(key, count);
    return [[count === 1 ? key : `${key}_${count}`, digest]];
  });
  const values = [
    ['digest', root.digest],
    ['image', `${repositoriesOf(targets)[0]!}@${root.digest}`],
    ...platforms,
  ];
  return values.map(([key, value]) => `${key}=${value}\n`).join('');
}

const SUBJECTS: Content = { text: (published) => published.map(subjects).join('') };

/** Lines as sha256sum writes them: of the index and of each image, in each repository. */
function subjects({ root, targets }: PublishedContent): string {
  const digests = new Set([root.digest, ...entriesOf(root).map(({ digest }) => digest)]);
  const lines = repositoriesOf(targets).flatMap((repository) =>
    [...digests].map((digest) => `${encodedPart(digest)}  ${repository}\n`),
  );
  return lines.join('');
}

function repositoriesOf(targets: readonly Reference[]): string[] {
  return [...new Set(targets.map(formatName))];
}

/** The images of an index; none of an image. */
function entriesOf({ bytes, mediaType }: ManifestContent): Descriptor[] {
  const { document } = parseDocument(bytes, mediaType);
  return document.kind === 'index' ? imageEntries(document.manifests) : [];
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
    args: Options<'digestfile' | 'metadata-file' | 'dotenv' | 'subjects'>,
    signal: AbortSignal,
  ): Promise<ResultFiles> {
    const files = new ResultFiles(signal);
    try {
      await files.add('--digestfile', args.digestfile, DIGEST);
      await files.add('--metadata-file', args.metadataFile, METADATA);
      await files.add('--dotenv', args.dotenv, DOTENV);
      await files.add('--subjects', args.subjects, SUBJECTS);
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
      this.files.push({ what, path, handle: await openToAppend(path, this.signal), content });
    } catch (error) {
      if (this.signal.aborted) throw interrupted(what, error);
      throw new ManifestToolError('USAGE', what, fileReason(error), {
        cause: error,
        hint: 'use a file in an existing, writable directory',
      });
    }
  }

  /**
   * @param isSingle whether one thing was to be published, not several specs or tags
   * @throws {ManifestToolError} FAILED if the device is full, for example.
   */
  async write(published: readonly PublishedContent[], isSingle: boolean): Promise<void> {
    for (const file of this.files) await write(file, file.content.text(published, isSingle));
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

async function write({ what, path, handle, content }: ResultFile, text: string): Promise<void> {
  try {
    const stats = await handle.stat();
    // A pipe or a device has no length.
    const length = stats.isFile() ? stats.size : 0;
    if (content.isAppended !== true && length > 0) await handle.truncate(0);
    const isInsideLine = content.isAppended === true && (await endsInsideLine(path, length));
    await handle.writeFile(isInsideLine ? `\n${text}` : text);
  } catch (error) {
    throw new ManifestToolError('FAILED', what, fileReason(error), {
      cause: error,
      hint: 'the image is published; "manifest-tool digest REF" prints its digest',
    });
  }
}

/** Whether the last line of a file is not ended, so that more text would become a part of it. */
async function endsInsideLine(path: string, length: number): Promise<boolean> {
  if (length === 0) return false;
  const handle = await process.getBuiltinModule('node:fs/promises').open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, length - 1);
    return bytesRead === 1 && buffer.toString() !== '\n';
  } finally {
    await handle.close();
  }
}
