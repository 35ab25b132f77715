import { describeImage, platformOf, type Described } from '../core/read/describe.js';
import { totalsOf, type Totals } from '../core/read/totals.js';
import { attestedDigest } from '../oci/attestation.js';
import type { ImageDocument } from '../oci/documents.js';
import type { Digest } from '../oci/digest.js';
import { isArtifact } from '../oci/image-config.js';
import type { Platform } from '../oci/platform.js';
import type { Reference } from '../oci/reference.js';
import { object, oneOf, platform, type Read } from './arguments.js';
import { callMembers, type Call, type CallOptions } from './call.js';
import {
  contentDescriptor,
  plain,
  type Annotations,
  type ContentDescriptor,
  type Descriptor,
  type JsonValue,
} from './data.js';

/** How much `inspect` reads. */
export interface InspectOptions extends CallOptions {
  /**
   * Selects the entry of an index for this platform, for example `linux/arm64`; a single image must
   * be for it.
   */
  readonly platform?: Platform | string;
  /**
   * The configs of all images (the default), or only of those that have no platform in their index.
   */
  readonly configs?: 'all' | 'needed';
  /** The referrers of the manifest itself (`top`), or also of each entry; the default is `none`. */
  readonly referrers?: 'none' | 'top' | 'all';
}

/** Checks {@link InspectOptions}. */
export const inspectOptions = object({
  ...callMembers,
  platform,
  configs: oneOf('all', 'needed'),
  referrers: oneOf('none', 'top', 'all'),
} satisfies Record<keyof InspectOptions, unknown>);

/** What an index, an image and an artifact have in common. */
export interface InspectedContent extends ContentDescriptor {
  /** Its own annotations; those of its entry are in `entry`. */
  readonly annotations?: Annotations;
  /** Its own artifact type. */
  readonly artifactType?: string;
  /** The manifest that it refers to. */
  readonly subject?: Descriptor;
  /** Its entry, if it is part of an index. */
  readonly entry?: Descriptor;
  /** Of its entry, or else of its config. */
  readonly platform?: Platform;
  /** What refers to it, if that was asked for. */
  readonly referrers?: readonly Referrer[];
}

/** An image index, or a Docker manifest list. */
export interface InspectedIndex extends InspectedContent {
  /** Distinguishes it from an image and an artifact. */
  readonly kind: 'index';
  /** In its order. Empty for an index that is too deep, or too large, to be followed. */
  readonly entries: readonly Inspected[];
}

/** The image for one platform. */
export interface InspectedImage extends InspectedContent {
  /** Distinguishes it from an index and an artifact. */
  readonly kind: 'image';
  /** The descriptor of its config. */
  readonly configDescriptor: Descriptor;
  /** The config (OCI image-spec, config.md), if it was read and is JSON. */
  readonly config?: JsonValue;
  /** From the lowest to the highest. */
  readonly layers: readonly Descriptor[];
  /** Those that its index has for it. */
  readonly attestations: readonly InspectedArtifact[];
}

/** Anything else, for example an attestation, a signature or a chart. */
export interface InspectedArtifact extends InspectedContent {
  /** Distinguishes it from an index and an image. */
  readonly kind: 'artifact';
  /** The image of the same index that it attests. */
  readonly attests?: Digest;
  /** The descriptor of its config; absent if it is no manifest. */
  readonly configDescriptor?: Descriptor;
  /** Its content; empty if it is no manifest. */
  readonly layers: readonly Descriptor[];
}

/** A manifest with everything that belongs to it. */
export type Inspected = InspectedIndex | InspectedImage | InspectedArtifact;

/** The result of `inspect`. */
export type Inspection = Inspected & {
  /** Sizes of everything that it needs. */
  readonly totals: Totals;
};

/** What refers to a manifest. */
export interface Referrer extends Descriptor {
  /** The tag under which cosign keeps it, if there is one: `sha256-HEX.sig`. */
  readonly tag?: string;
}

export async function inspect(
  { client, events }: Call,
  reference: Reference,
  options: Read<typeof inspectOptions>,
): Promise<Inspection> {
  const described = await describeImage(client, reference, options, events);
  return { ...inspected(described), totals: totalsOf(described) };
}

function inspected(described: Described): Inspected {
  const { kind, manifest, config } = described;
  const content = contentOf(described);
  if (kind === 'list')
    return { kind: 'index', ...content, entries: described.entries.map(inspected) };
  const document = manifest?.document;
  if (kind === 'image' && document?.kind === 'manifest' && !isArtifact(document)) {
    return {
      kind: 'image',
      ...content,
      configDescriptor: plain(document.config),
      ...(config && { config: parsed(config.bytes) }),
      layers: plain(document.layers ?? []),
      attestations: described.attestations.map(inspectedArtifact),
    };
  }
  return inspectedArtifact(described);
}

function inspectedArtifact(described: Described): InspectedArtifact {
  const document = described.manifest?.document;
  const attests = attestedDigest(described.descriptor);
  const isManifest = document?.kind === 'manifest';
  return {
    kind: 'artifact',
    ...contentOf(described),
    ...(attests !== undefined && { attests: attests as Digest }),
    ...(isManifest && { configDescriptor: plain(document.config) }),
    layers: isManifest ? plain(document.layers ?? []) : [],
  };
}

function contentOf(described: Described): InspectedContent {
  const { descriptor, manifest, isEntry, referrers } = described;
  const ofPlatform = platformOf(described);
  return {
    ...contentDescriptor(manifest ?? descriptor),
    ...documentMembers(manifest?.document),
    ...(isEntry && { entry: plain(descriptor) }),
    ...(ofPlatform && { platform: plain(ofPlatform) }),
    ...(referrers && { referrers: plain(referrers) }),
  };
}

function documentMembers(
  document: ImageDocument | undefined,
): Pick<InspectedContent, 'annotations' | 'artifactType' | 'subject'> {
  if (document === undefined) return {};
  const { annotations, artifactType, subject } = document;
  return plain({ annotations, artifactType, subject });
}

/** A config that was checked to be JSON when it was read. */
function parsed(bytes: Uint8Array): JsonValue {
  return JSON.parse(Buffer.from(bytes).toString()) as JsonValue;
}
