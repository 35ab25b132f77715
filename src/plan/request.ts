import { ManifestToolError } from '../errors.js';
import type { Annotations } from '../oci/documents.js';
import type { ListType } from '../oci/encode-index.js';
import type { Platform } from '../oci/platform.js';
import { formatReference, type Reference } from '../oci/reference.js';
import type { Publication } from './publication.js';

/** A platform as far as the user gave one. */
export interface RequestedPlatform {
  readonly architecture?: string;
  readonly os?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
  readonly variant?: string;
}

/** One image, or one list of images, that goes into the list. */
export interface SourceRequest {
  readonly reference: Reference;
  readonly platform: RequestedPlatform;
  /** Where the reference is a list: takes only the entry for `platform` from it, and not all of its entries. */
  readonly onlyPlatform: boolean;
}

/** Annotations for entries of a list. */
export interface EntryAnnotations {
  readonly platform?: Platform;
  readonly annotations: Annotations;
}

/** What is to be published, before anything was looked up. */
export interface ListRequest extends Publication {
  /** `auto` takes the kind of the images: a Docker manifest list where all are Docker's, and an OCI index otherwise. */
  readonly type: ListType | 'auto';
  readonly annotations: Annotations;
  /** Annotations of entries: of the one for a platform, or of all images. */
  readonly entryAnnotations?: readonly EntryAnnotations[];
  /** Leaves out the attestations of sources that are lists. */
  readonly dropAttestations?: boolean;
  /** A source that is not found is left out with a warning. */
  readonly ignoreMissing: boolean;
  readonly sources: readonly SourceRequest[];
}

/**
 * Refuses what cannot be published whatever the sources are, before the first request.
 * @throws {ManifestToolError} USAGE.
 */
export function checkRequest(request: ListRequest): void {
  const what = `publishing ${formatReference(request.target)}`;
  if (request.sources.length === 0)
    throw new ManifestToolError('USAGE', what, 'there are no images to publish');
  const annotated = request.annotations.size + (request.entryAnnotations ?? []).length;
  if (request.type === 'docker' && annotated > 0) {
    throw new ManifestToolError('USAGE', what, 'a Docker manifest list has no annotations', {
      hint: 'give --type oci, or leave the annotations out',
    });
  }
}
