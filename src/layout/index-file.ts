import { ManifestToolError } from '../errors.js';
import { MAX_DOCUMENT_SIZE } from '../oci/documents.js';
import { asWritable, goMarshalIndent } from '../oci/json/go-marshal.js';
import { parseJson, type JsonValue } from '../oci/json/parse.js';
import { corrupt, parsing } from './errors.js';
import { withLock } from './lock.js';
import { indexPath } from './paths.js';
import { readRegular } from './read-file.js';
import { writeAtomically } from './write-file.js';

/**
 * Reads index.json, which every layout has (OCI image-spec, image-layout.md, index.json file).
 * @throws {ManifestToolError} CORRUPT where it is missing, no JSON, no regular file or larger than
 * MAX_DOCUMENT_SIZE.
 */
export async function readIndex(what: string, root: string): Promise<JsonValue> {
  const index = await readIndexIfAny(what, root);
  if (index === undefined) throw corrupt(what, root, 'the layout has no index.json');
  return index;
}

async function readIndexIfAny(what: string, root: string): Promise<JsonValue | undefined> {
  const file = indexPath(root);
  const bytes = await readRegular(what, file);
  if (bytes === undefined) return undefined;
  return parsing(what, file, () => parseJson(Buffer.from(bytes).toString('utf8')));
}

/**
 * Changes index.json: read, changed and replaced under a lock, so that programs which publish at
 * the same time do not undo each other's work, and a reader sees the old one or the new one whole.
 * A missing one counts as undefined.
 * @throws {ManifestToolError} UNAVAILABLE where another program holds the lock; CORRUPT where it
 * cannot be read; FAILED where it would become larger than MAX_DOCUMENT_SIZE.
 */
export async function updateIndex(
  what: string,
  root: string,
  change: (index: JsonValue | undefined) => JsonValue,
): Promise<void> {
  const file = indexPath(root);
  await withLock(what, `${file}.lock`, async () => {
    const index = await readIndexIfAny(what, root);
    const changed = parsing(what, file, () => change(index));
    const text = goMarshalIndent(asWritable(changed), '  ');
    if (Buffer.byteLength(text) > MAX_DOCUMENT_SIZE) {
      const why = `${file} would have more than ${MAX_DOCUMENT_SIZE} bytes`;
      throw new ManifestToolError('FAILED', what, why, {
        hint: 'publish into another layout: this one names too many images',
      });
    }
    await writeAtomically(file, () => text);
  });
}
