import type { BlobOutcome, ImageReader, ImageWriter } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor } from '../../oci/documents.js';
import type { BlobProgress, PlanEvents } from '../events.js';
import type { WaitPolicy } from '../wait.js';

/** Brings blobs into the target, each once, however many images share it and however early it is asked for. */
export class BlobMover {
  private readonly moves = new Map<Digest, Promise<BlobOutcome>>();

  constructor(
    private readonly target: ImageWriter,
    private readonly wait: WaitPolicy,
    private readonly events: PlanEvents,
  ) {}

  /** Starts bringing a blob; a failure is told to those who wait for it with {@link arrived}. */
  start(blob: Descriptor, source: ImageReader): void {
    this.arrived(blob, source).catch(() => undefined);
  }

  /** Resolves when the blob is in the target. */
  arrived(blob: Descriptor, source: ImageReader): Promise<BlobOutcome> {
    const known = this.moves.get(blob.digest);
    if (known !== undefined) return known;
    const move = this.told(blob, source);
    this.moves.set(blob.digest, move);
    return move;
  }

  private async told(blob: Descriptor, source: ImageReader): Promise<BlobOutcome> {
    const { digest, size } = blob;
    const tell = (state: BlobProgress['state'], bytes: number): void =>
      this.events.blob?.({ target: this.target.name, digest, size, bytes, state });
    tell('started', 0);
    try {
      const onBytes = (bytes: number): void => tell('copying', bytes);
      const outcome = await this.wait.until(() => this.target.ensureBlob(blob, source, onBytes));
      tell(outcome, outcome === 'copied' ? size : 0);
      return outcome;
    } catch (error) {
      tell('failed', 0);
      throw error;
    }
  }

  /** Resolves when nothing moves any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.moves.values());
  }
}
