import { ManifestToolError } from '../errors.js';
import type { BlobOutcome, ImageReader, ImageWriter } from '../oci/content.js';
import type { Digest } from '../oci/digest.js';
import type { Descriptor } from '../oci/documents.js';
import type { Patience } from './waiting.js';

/** How often a blob is brought where it does not arrive as it is. */
const TRIES = 3;

/** Brings blobs into the target, each once, however many images share it and however early it is asked for. */
export class BlobMover {
  private readonly moves = new Map<Digest, Promise<BlobOutcome>>();

  constructor(
    private readonly target: ImageWriter,
    private readonly patience: Patience,
  ) {}

  /** Starts bringing a blob; a failure is told to those who wait for it with {@link arrived}. */
  start(blob: Descriptor, source: ImageReader): void {
    this.arrived(blob, source).catch(() => undefined);
  }

  /** Resolves when the blob is in the target. */
  arrived(blob: Descriptor, source: ImageReader): Promise<BlobOutcome> {
    const known = this.moves.get(blob.digest);
    if (known !== undefined) return known;
    const move = this.move(blob, source, TRIES);
    this.moves.set(blob.digest, move);
    return move;
  }

  /** Content that was damaged on its way is brought again. */
  private async move(blob: Descriptor, source: ImageReader, tries: number): Promise<BlobOutcome> {
    try {
      return await this.patience.until(() => this.target.ensureBlob(blob, source));
    } catch (error) {
      const isDamaged = error instanceof ManifestToolError && error.code === 'CORRUPT';
      if (!isDamaged || tries === 1) throw error;
      return this.move(blob, source, tries - 1);
    }
  }

  /** Resolves when nothing moves any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.moves.values());
  }
}
