import { ManifestToolError } from '../../errors.js';
import { setsAnnotation, type AnnotationChanges } from '../../oci/annotations.js';
import type { Digest } from '../../oci/digest.js';
import type { Annotations, Descriptor } from '../../oci/descriptor.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import type { Platform } from '../../oci/platform.js';
import {
  formatName,
  formatReference,
  isTagOf,
  TAG_RULE,
  type Reference,
} from '../../oci/reference.js';

/** A repository or a layout, and the tags in it that will point to what is published. */
export interface Target {
  /**
   * With no tag here and none in `tags`, the manifest is written by its digest and no tag moves.
   */
  readonly target: Reference;
  /** Additional tags. */
  readonly tags?: readonly string[];
}

/** Conditions under which tags move. */
export interface PublishingOptions {
  /** Refuses to move a tag that exists; the default is false. */
  readonly noClobber?: boolean;
  /**
   * Moves tags only if they point to this digest. Registries have no compare-and-set: the tag is
   * read right before it is written, and another publisher can still write in between.
   */
  readonly expect?: Digest;
  /**
   * Refuses images that start a program of another architecture than that of their platform, before
   * a tag moves; the default is false. It reads the layers of each image that is added or whose
   * platform changes.
   */
  readonly executables?: boolean;
  /** Turns each warning into an error, before anything is written; the default is false. */
  readonly strict?: boolean;
  /**
   * How long to wait for content that is missing, in milliseconds for the whole call; the default
   * is not to wait.
   */
  readonly waitMs?: number;
  /** Writes nothing; the result is what would be written. The default is false. */
  readonly dryRun?: boolean;
}

/** Where something is published, and under which conditions. */
export interface Publication extends Target, PublishingOptions {
  /** Additional targets. A failure at one of them does not affect the others. */
  readonly alsoTo?: readonly Target[];
}

/** A platform, as far as the user specified it (OCI image-spec, image-index.md, `platform`). */
export interface RequestedPlatform {
  /** As GOARCH: `amd64`, `arm64`, `arm`. */
  readonly architecture?: string;
  /** As GOOS: `linux`, `windows`. */
  readonly os?: string;
  /** For Windows: `10.0.20348.2655`. */
  readonly osVersion?: string;
  /** For Windows: `win32k`. */
  readonly osFeatures?: readonly string[];
  /** Of the architecture: `v8` of arm64, `v6` and `v7` of arm. */
  readonly variant?: string;
}

/** One source of the index: an image, or an index whose entries are added. */
export interface SourceRequest {
  /** Without a tag and a digest, the tag is `latest`. */
  readonly reference: Reference;
  /**
   * Fields that are left out are read from the config of the image (OCI image-spec, config.md).
   * `unknown/unknown` is the platform of an attestation; its config is not read.
   */
  readonly platform?: RequestedPlatform;
  /**
   * If the source is an index: adds only the entry for `platform`, which then needs an os and an
   * architecture, instead of all entries. The default is false.
   */
  readonly onlyPlatform?: boolean;
  /**
   * Added to the annotations of the entry; if the source is an index, to those of each image that
   * it adds. Only an OCI index has them.
   */
  readonly annotations?: Annotations;
  /** What a descriptor says that the source is; another manifest is refused. */
  readonly expected?: Partial<Pick<Descriptor, 'mediaType' | 'size'>>;
}

/** Annotations for entries of the index. */
export interface EntryAnnotations {
  /** The entry to annotate; all images if it is left out. */
  readonly platform?: Platform;
  /** Changes of the annotations that the entry has in its source. */
  readonly annotations: AnnotationChanges;
}

/**
 * `auto`: a Docker manifest list if all images are Docker images and there are no annotations,
 * otherwise an OCI index.
 */
export type RequestedType = IndexType | 'auto';

/** An index to publish, before anything has been looked up. */
export interface IndexRequest extends Publication {
  /** The default is `auto`. */
  readonly type?: RequestedType;
  /** Annotations of the index. Only an OCI index has annotations. */
  readonly annotations?: AnnotationChanges;
  /** The type of artifact that the index is. Only an OCI index has one. */
  readonly artifactType?: string;
  /** Annotations of its entries. */
  readonly entryAnnotations?: readonly EntryAnnotations[];
  /**
   * Of sources that are indexes, only the images for these platforms, one for each, with what
   * belongs to them; the default is all entries.
   */
  readonly platforms?: readonly Platform[];
  /** Refuses an index without these platforms, before a tag moves; it may have others. */
  readonly requiredPlatforms?: readonly Platform[];
  /** Leaves out attestations; the default is false. */
  readonly dropAttestations?: boolean;
  /**
   * Leaves out a source that is not found, with a warning; other errors remain errors. The default
   * is false.
   */
  readonly ignoreMissing?: boolean;
  /**
   * If the only source is an index, and the request changes nothing of it: publishes that index byte
   * for byte, with its own annotations and artifact type. The default is false, which builds the
   * index anew as manifest-tool does.
   */
  readonly keepUnchanged?: boolean;
  /**
   * Also publishes what refers to an image, such as signatures and SBOMs, and what cosign keeps
   * under the tags of its digest; the default is false.
   */
  readonly referrers?: boolean;
  /** In the order of the entries. */
  readonly sources: readonly SourceRequest[];
}

/** The part of an {@link IndexRequest} that a spec file describes. */
export interface Spec {
  /** The member `image`. */
  readonly target: Reference;
  /** The member `tags`. */
  readonly tags: readonly string[];
  /** The member `type`. */
  readonly type?: RequestedType;
  /** The member `artifactType`. */
  readonly artifactType?: string;
  /** The member `annotations`. */
  readonly annotations: Annotations;
  /** The member `attestations`; true is `drop`, false `keep`. */
  readonly dropAttestations?: boolean;
  /** The member `manifests`. */
  readonly sources: readonly SourceRequest[];
}

/** All tags of a target, without duplicates. */
export function tagsOf({ target, tags = [] }: Target): string[] {
  return [...new Set([...(target.tag === undefined ? [] : [target.tag]), ...tags])];
}

/** The names (repository and tag) that several publications write. */
export class PublishedNames {
  /** By name, the place of the first publication that writes it. */
  private readonly places = new Map<string, string>();

  /**
   * Adds the names of a target. If a publication that was added before writes one of them as well,
   * returns that name and the place of that publication: chance would decide what it names.
   */
  add(
    target: Target,
    place: string,
  ): { readonly name: string; readonly other: string } | undefined {
    for (const tag of tagsOf(target)) {
      const name = `${formatName(target.target)}:${tag}`;
      const other = this.places.get(name);
      if (other !== undefined) return { name, other };
      this.places.set(name, place);
    }
    return undefined;
  }
}

/**
 * Refuses strings that are not tags before they become part of a URL or a file.
 * @throws {ManifestToolError} USAGE.
 */
export function checkTags(target: Target): void {
  const invalid = tagsOf(target).find((tag) => !isTagOf(target.target, tag));
  if (invalid === undefined) return;
  const what = `publishing ${formatName(target.target)}`;
  throw new ManifestToolError('USAGE', what, `${JSON.stringify(invalid)} is not a valid tag`, {
    hint: TAG_RULE,
  });
}

/**
 * Refuses a request that cannot succeed whatever its sources are, before anything is sent.
 * @throws {ManifestToolError} USAGE.
 */
export function checkRequest(request: IndexRequest): void {
  const what = `publishing ${formatReference(request.target)}`;
  if (request.sources.length === 0) {
    throw new ManifestToolError('USAGE', what, 'there are no images to publish', {
      hint: 'specify at least one image',
    });
  }
  const vague = request.sources.find(
    ({ onlyPlatform, platform = {} }) =>
      onlyPlatform === true && Object.keys(platform).length === 0,
  );
  if (vague !== undefined) {
    const why = `no platform to select from ${formatReference(vague.reference)} is given`;
    throw new ManifestToolError('USAGE', what, why, {
      hint: 'specify its os and architecture, for example linux/amd64',
    });
  }
  const ociOnly = request.type === 'docker' ? ociOnlyPart(request) : undefined;
  if (ociOnly !== undefined) {
    throw new ManifestToolError('USAGE', what, `a Docker manifest list has no ${ociOnly}`, {
      reason: ociOnly === 'annotations' ? 'docker-annotations' : 'docker-artifact-type',
    });
  }
}

/** What a request has that only an OCI index can have; undefined if it has nothing of that kind. */
export function ociOnlyPart({
  annotations,
  artifactType,
  entryAnnotations = [],
  sources,
}: IndexRequest): 'annotations' | 'artifact type' | undefined {
  const changes = [
    annotations,
    ...[...entryAnnotations, ...sources].map((each) => each.annotations),
  ];
  if (changes.some(setsAnnotation)) return 'annotations';
  return artifactType === undefined ? undefined : 'artifact type';
}
