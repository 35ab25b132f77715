import { ManifestToolError } from '../errors.js';
import type { ImageReader } from '../oci/content.js';
import { counted } from '../oci/counted.js';
import type { Descriptor } from '../oci/documents.js';
import { SOURCE_HINT, verifiedContent, WrongContent } from '../oci/verified-content.js';
import { hasBlob } from './blobs.js';
import type { Connection } from './connection.js';
import { openUpload, putBlob } from './uploads.js';

interface CopyOptions {
  /** An upload session that is open already. */
  readonly session?: URL | undefined;
  /** Told how many bytes have been read so far. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What a blob is copied from. */
type BlobSource = Pick<ImageReader, 'name' | 'openBlob'>;

/**
 * Copies a blob into a repository, when there is room for another copy: see {@link uploadBlob}.
 * @throws {ManifestToolError} what that throws.
 */
export function copyBlob(
  connection: Connection,
  repository: string,
  descriptor: Descriptor,
  source: BlobSource,
  options: CopyOptions = {},
): Promise<void> {
  return connection.copying(descriptor.size, () =>
    uploadBlob(connection, repository, descriptor, source, options),
  );
}

/**
 * Uploads a blob, checked on its way and never held whole. After a failure it looks whether the blob has arrived all the same, and
 * otherwise begins anew with another session, as often as requests are repeated.
 * @throws {ManifestToolError} what source and target throw; CORRUPT where the source has other bytes than it says.
 */
export async function uploadBlob(
  connection: Connection,
  repository: string,
  descriptor: Descriptor,
  source: BlobSource,
  options: CopyOptions = {},
): Promise<void> {
  for (let attempt = 1, { session } = options; ; attempt += 1, session = undefined) {
    try {
      session ??= await openUpload(connection, repository);
      // Opened before the write: where both are in one registry, a write that waits for its source could hold what the source needs.
      const first = await source.openBlob(descriptor);
      const content = replayable(descriptor, source, first, options.onBytes);
      await putBlob(connection, repository, session, descriptor, content);
      return;
    } catch (error) {
      if (await hasBlob(connection, repository, descriptor.digest).catch(() => false)) return;
      const failure = asFailure(error, descriptor, source);
      if (failure.code !== 'UNAVAILABLE' || !(await connection.again(failure.why, attempt)))
        throw failure;
    }
  }
}

/** The content of a blob, as often as it is asked for; the first time it is open already. */
function replayable(
  descriptor: Descriptor,
  source: BlobSource,
  first: AsyncIterable<Uint8Array>,
  onBytes: CopyOptions['onBytes'],
): () => AsyncIterable<Uint8Array> {
  let opened: AsyncIterable<Uint8Array> | undefined = first;
  return async function* content() {
    const stream = opened ?? (await source.openBlob(descriptor));
    opened = undefined;
    yield* counted(verifiedContent(descriptor, stream), onBytes);
  };
}

function asFailure(error: unknown, { digest }: Descriptor, source: BlobSource): ManifestToolError {
  for (
    let each = error, depth = 0;
    each instanceof Error && depth < 8;
    each = each.cause, depth += 1
  ) {
    if (each instanceof WrongContent) {
      return new ManifestToolError('CORRUPT', `reading ${source.name}@${digest}`, each.message, {
        cause: error,
        hint: SOURCE_HINT,
      });
    }
  }
  if (error instanceof ManifestToolError) return error;
  throw error;
}
