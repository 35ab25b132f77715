import { lstat } from 'node:fs/promises';
import { ManifestToolError, systemCode } from '../errors.js';
import { MAX_DOCUMENT_SIZE } from '../oci/limits.js';
import { asWritable, goMarshalIndent } from '../oci/json/go-marshal.js';
import { parseJsonBytes, type JsonValue } from '../oci/json/parse.js';
import { corrupt, parsing } from './errors.js';
import { readDocument, writeAtomically } from './files.js';
import { withLock } from './lock.js';
import { indexPath } from './paths.js';

/**
 * Parses index.json, and returns the same value as before while its bytes are the same. It is read
 * for each tag and each subject: to parse it every time takes seconds if it has a thousand entries.
 */
export class IndexParser {
  private last: { readonly bytes: Uint8Array; readonly index: JsonValue } | undefined;

  /** @throws {ManifestToolError} CORRUPT if it is not JSON; `file` is its name, for the error. */
  parse(what: string, file: string, bytes: Uint8Array): JsonValue {
    if (this.last === undefined || Buffer.compare(this.last.bytes, bytes) !== 0)
      this.last = { bytes, index: parsing(what, file, () => parseJsonBytes(bytes)) };
    return this.last.index;
  }
}

/**
 * Reads index.json, which every layout has (OCI image-spec, image-layout.md, index.json file).
 * @throws {ManifestToolError} CORRUPT if it is missing, not JSON, not a regular file, or larger
 * than MAX_DOCUMENT_SIZE.
 */
export async function readIndex(
  what: string,
  root: string,
  parser: IndexParser,
): Promise<JsonValue> {
  const index = await readIndexIfAny(what, root, parser);
  if (index === undefined) throw corrupt(what, root, 'the layout has no index.json');
  return index;
}

/** Whether there is an index.json, readable or not. */
export async function hasIndex(root: string): Promise<boolean> {
  try {
    await lstat(indexPath(root));
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function readIndexIfAny(
  what: string,
  root: string,
  parser: IndexParser,
): Promise<JsonValue | undefined> {
  const file = indexPath(root);
  const bytes = await readDocument(what, file);
  return bytes && parser.parse(what, file, bytes);
}

/**
 * Changes index.json. It is read, changed and replaced under a lock, so that programs which publish
 * at the same time do not undo each other's work; a reader sees either the old file or the new one.
 * `change` is given undefined if there is none.
 * @throws {ManifestToolError} UNAVAILABLE if another program holds the lock; CORRUPT if it cannot
 * be read; FAILED if it would become larger than MAX_DOCUMENT_SIZE.
 * @throws the reason of `signal` if it is aborted before the change has begun.
 */
export async function updateIndex(
  what: string,
  root: string,
  signal: AbortSignal,
  change: (index: JsonValue | undefined) => JsonValue | Promise<JsonValue>,
): Promise<void> {
  const file = indexPath(root);
  await withLock(what, `${file}.lock`, signal, async () => {
    const index = await readIndexIfAny(what, root, new IndexParser());
    const changed = await Promise.resolve(index)
      .then(change)
      .catch((error: unknown) =>
        parsing(what, file, () => {
          throw error;
        }),
      );
    const text = indexText(what, file, changed);
    await writeAtomically(file, () => text);
  });
}

/**
 * The text of an index.json.
 * @throws {ManifestToolError} FAILED if it is larger than MAX_DOCUMENT_SIZE.
 */
export function indexText(what: string, file: string, index: JsonValue): string {
  const text = goMarshalIndent(asWritable(index), '  ');
  if (Buffer.byteLength(text) <= MAX_DOCUMENT_SIZE) return text;
  const why = `${file} would be larger than ${MAX_DOCUMENT_SIZE} bytes`;
  throw new ManifestToolError('FAILED', what, why, {
    hint: 'write to another layout or archive: this one contains too many images',
  });
}
