import { ManifestToolError } from '../../errors.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { formatSize } from '../../text.js';

/**
 * Bytes that are shown again: a kilobyte of entries can name one manifest of megabytes many times.
 */
const MAX_REPEATED_BYTES = 16 * 1024 * 1024;

/** Limits how much is shown of what an index names more than once; the first time is free. */
export class RepeatedContent {
  private readonly shown = new Set<string>();
  private bytes = 0;

  /** `what` is being done, for the error. */
  constructor(private readonly what: string) {}

  /** @throws {ManifestToolError} FAILED with reason `index-limit`. */
  add({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): void {
    if (this.shown.has(digest)) this.bytes += size;
    this.shown.add(digest);
    if (this.bytes <= MAX_REPEATED_BYTES) return;
    const limit = formatSize(MAX_REPEATED_BYTES);
    const why = `manifests that are referred to repeatedly have more than ${limit} in total`;
    throw new ManifestToolError('FAILED', this.what, why, { reason: 'index-limit' });
  }
}
