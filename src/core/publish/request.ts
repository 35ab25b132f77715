import { ManifestToolError } from '../../errors.js';
import type { Annotations } from '../../oci/documents.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import type { Platform } from '../../oci/platform.js';
import { formatReference, type Reference } from '../../oci/reference.js';
import type { Publication } from './publication.js';

/** A platform as far as the user gave one (OCI image-spec, image-index.md, `platform`). */
export interface RequestedPlatform {
  /** Given with `os`, or not at all. */
  readonly architecture?: string;
  /** Given with `architecture`, or not at all. */
  readonly os?: string;
  /** Of Windows: `10.0.20348.2655`. */
  readonly osVersion?: string;
  /** Of Windows: `win32k`. */
  readonly osFeatures?: readonly string[];
  /** Of the architecture: `v8` of arm64, `v6` and `v7` of arm. */
  readonly variant?: string;
}

/** One image, or one list of images, that goes into the list. */
export interface SourceRequest {
  /** Without tag and digest `latest` is meant. */
  readonly reference: Reference;
  /** What is left out here comes from the configuration of the image (OCI image-spec, config.md). */
  readonly platform?: RequestedPlatform;
  /** Where the reference is a list: takes only the entry for `platform` from it, and not all of its entries; the default is false. */
  readonly onlyPlatform?: boolean;
}

/** Annotations for entries of a list. */
export interface EntryAnnotations {
  /** The entry that is meant; without it all images. */
  readonly platform?: Platform;
  /** They come to those that the source gives its entries. */
  readonly annotations: Annotations;
}

/** The kind of a list; `auto` takes that of its images: a Docker manifest list where all are Docker's, and an OCI index otherwise. */
export type RequestedType = IndexType | 'auto';

/** What is to be published, before anything was looked up. */
export interface IndexRequest extends Publication {
  /** The default is `auto`. */
  readonly type?: RequestedType;
  /** Of the list itself. Only an OCI index has annotations. */
  readonly annotations?: Annotations;
  /** Annotations of entries: of the one for a platform, or of all images. */
  readonly entryAnnotations?: readonly EntryAnnotations[];
  /** Leaves out the attestations of sources that are lists; the default is false. */
  readonly dropAttestations?: boolean;
  /** Leaves out a source that is not found, with a warning; any other error is one all the same. The default is false. */
  readonly ignoreMissing?: boolean;
  /** In the order in which the list is to have them. */
  readonly sources: readonly SourceRequest[];
}

/** What a spec says of a list; the rest of a {@link IndexRequest} is not in it. */
export interface Spec {
  /** The member `image`. */
  readonly target: Reference;
  /** The member `tags`. */
  readonly tags: readonly string[];
  /** The member `annotations`. */
  readonly annotations: Annotations;
  /** The member `manifests`. */
  readonly sources: readonly SourceRequest[];
}

/**
 * Refuses what cannot be published whatever the sources are, before the first request.
 * @throws {ManifestToolError} USAGE.
 */
export function checkRequest(request: IndexRequest): void {
  const what = `publishing ${formatReference(request.target)}`;
  if (request.sources.length === 0)
    throw new ManifestToolError('USAGE', what, 'there are no images to publish', {
      hint: 'name one image at least',
    });
  const vague = request.sources.find(
    ({ onlyPlatform, platform: { os, architecture } = {} }) =>
      onlyPlatform === true && (os === undefined || architecture === undefined),
  );
  if (vague !== undefined) {
    const name = formatReference(vague.reference);
    throw new ManifestToolError(
      'USAGE',
      what,
      `which platform of ${name}? It needs an os and an architecture`,
      { hint: 'name its platform as os/arch, for example linux/amd64' },
    );
  }
  const annotated = (request.annotations?.size ?? 0) + (request.entryAnnotations ?? []).length;
  if (request.type === 'docker' && annotated > 0) {
    throw new ManifestToolError('USAGE', what, 'a Docker manifest list has no annotations', {
      hint: 'give --type oci, or leave the annotations out',
    });
  }
}
