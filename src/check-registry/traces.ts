import type { Digest } from '../oci/digest.js';
import type { RawRepository } from '../registry/raw.js';

/** Something that a check has put into a registry, or may have. */
export interface Trace {
  readonly probe: RawRepository;
  readonly kind: 'tag' | 'manifest';
  /** The tag, or the digest. */
  readonly reference: string;
  /** The manifest that was written. */
  readonly digest: Digest;
  /** 0 for an image, 1 for what names images, 2 for what names that: deleted from the top. */
  readonly level: number;
  /** The answer has not come yet: what is not there now may still appear. */
  isOpen: boolean;
}

/** A blob that a check has put into a repository. */
export interface BlobTrace {
  readonly probe: RawRepository;
  readonly digest: Digest;
}

/** What a check leaves behind until it cleans up. All is noted before it is sent. */
export class Traces {
  private readonly noted = new Set<Trace>();
  private readonly writes = new Set<Promise<unknown>>();
  readonly blobs = new Set<BlobTrace>();
  /** Names of the repositories that were written to. */
  readonly repositories = new Set<string>();

  all(): Trace[] {
    return [...this.noted];
  }

  forget(traces: readonly Trace[]): void {
    for (const trace of traces) this.noted.delete(trace);
  }

  /** Runs what brings a blob into a repository. */
  async bringing<T>(blob: BlobTrace, bring: () => Promise<T>): Promise<T> {
    this.blobs.add(blob);
    try {
      const brought = await bring();
      this.repositories.add(blob.probe.name);
      return brought;
    } catch (error) {
      this.blobs.delete(blob);
      throw error;
    }
  }

  /** Runs a write that leaves these; one that the registry refuses (`isDone` is false) leaves nothing. */
  async during<T extends { readonly isDone: boolean }>(
    left: readonly Omit<Trace, 'isOpen'>[],
    write: () => Promise<T>,
  ): Promise<T> {
    const traces = left.map((trace) => ({ ...trace, isOpen: true }));
    for (const trace of traces) this.noted.add(trace);
    const written = write();
    this.writes.add(written);
    try {
      const answer = await written;
      if (!answer.isDone) this.forget(traces);
      return answer;
    } finally {
      for (const trace of traces) trace.isOpen = false;
      this.writes.delete(written);
    }
  }

  /** Resolves when no write is on its way any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.writes);
  }
}
