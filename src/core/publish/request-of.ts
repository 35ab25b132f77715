import { ManifestToolError } from '../../errors.js';
import { imageEntries, isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ManifestContent } from '../../oci/content.js';
import type { Descriptor } from '../../oci/descriptor.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, isManifestType } from '../../oci/media-types.js';
import {
  formatReference,
  tagOrDigestOf,
  withDefaultTag,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import type { Client } from '../client.js';
import { WaitPolicy } from '../wait.js';
import { buildIndex } from './build.js';
import type { SourceRequest, Spec } from './request.js';
import { resolveSources } from './resolve.js';
import type { ResolvedImage } from './resolved.js';

/**
 * A request that publishes what is published already, as far as references and platforms can
 * express it.
 */
export interface RequestOf {
  /** What to publish: the images, by their digests. */
  readonly request: Spec;
  /** The type of index to publish it as. */
  readonly type: IndexType;
  /** What is published now. */
  readonly published: ManifestContent;
  /** What the request would publish; undefined if it would be refused. */
  readonly rebuilt: ManifestContent | undefined;
  /** What the request does not express, or why it would be refused. */
  readonly losses: readonly string[];
}

/**
 * Describes a published index, or a single image as an index of it: the images by their digests,
 * with the platforms of their entries. The index is built again from that, to compare the digests.
 * @throws {ManifestToolError} NOT_FOUND if it or one of its images does not exist; FAILED if it has
 * no images; what the readers throw.
 */
export async function requestOf(client: Client, reference: Reference): Promise<RequestOf> {
  const store = await client.open(reference, 'pull');
  const published = await store.getManifest(tagOrDigestOf(reference));
  const { document } = published;
  const isIndex = document.kind === 'index';
  const images: readonly Descriptor[] = isIndex
    ? imagesOf(document.manifests)
    : [descriptorOf(published)];
  if (images.length === 0) {
    const what = `describing ${formatReference(reference)}`;
    throw new ManifestToolError('FAILED', what, 'it has no images that a spec could name', {
      reason: 'no-image',
    });
  }
  const request = {
    target: targetOf(reference),
    tags: [],
    annotations: (isIndex ? document.annotations : undefined) ?? new Map<string, string>(),
    sources: images.map(({ digest, platform = {} }): SourceRequest => ({
      reference: withSuffix(reference, digest),
      platform,
    })),
  };
  const type = publishedType(published);
  const losses = lossesOf(published);
  try {
    const complete = { ...request, type };
    const resolved = await resolveSources(client, complete, {
      events: {},
      wait: new WaitPolicy(undefined, client.signal, {}),
      onManifest: () => {},
    });
    const rebuilt = buildIndex(complete, resolved);
    return { request: withPlatforms(request, resolved), type, published, rebuilt, losses };
  } catch (error) {
    if (!(error instanceof ManifestToolError) || error.code !== 'USAGE') throw error;
    const refusal = `it would be refused as it is: ${error.message}`;
    return { request, type, published, rebuilt: undefined, losses: [...losses, refusal] };
  }
}

/** Gives sources without a platform that of the config of their image. */
function withPlatforms(request: Spec, resolved: readonly ResolvedImage[]): Spec {
  const sources = request.sources.map((source, i) => {
    const isBare = Object.keys(source.platform ?? {}).length === 0;
    return isBare ? { ...source, platform: resolved[i]?.entry.platform ?? {} } : source;
  });
  return { ...request, sources };
}

function imagesOf(entries: readonly Descriptor[]): Descriptor[] {
  return imageEntries(entries).filter(({ mediaType }) => isManifestType(mediaType));
}

function descriptorOf({ mediaType, digest, size }: ManifestContent): Descriptor {
  return { mediaType, digest, size };
}

/** The tag without the digest, which would be refused as soon as the spec is changed. */
function targetOf(reference: Reference): Reference {
  const { digest, tag, ...name } = reference;
  if (tag !== undefined) return { ...name, tag };
  return digest === undefined ? withDefaultTag(name) : name;
}

function publishedType({ mediaType }: ManifestContent): IndexType {
  return mediaType === DOCKER_MANIFEST_LIST || mediaType === DOCKER_MANIFEST ? 'docker' : 'oci';
}

function lossesOf({ document }: FetchedManifest): string[] {
  if (document.kind !== 'index') {
    return ['it is a single image: the spec publishes an index of that image'];
  }
  const { manifests } = document;
  const images = imagesOf(manifests);
  const attestations = manifests.filter(isAttestation).length;
  const others = manifests.length - images.length - attestations;
  const annotated = images.filter(({ annotations }) => (annotations?.size ?? 0) > 0).length;
  const bare = images.filter(({ platform }) => platform === undefined).length;
  const some = (count: number, one: string, many: string): string[] => {
    if (count === 0) return [];
    return [count === 1 ? `1 ${one}` : `${count} ${many}`];
  };
  return [
    ...some(attestations, 'attestation is left out', 'attestations are left out'),
    ...some(
      others,
      'entry that is not an image is left out',
      'entries that are not images are left out',
    ),
    ...some(annotated, 'image loses its annotations', 'images lose their annotations'),
    ...some(bare, 'image without platform gets one', 'images without platform get one'),
    ...(document.artifactType === undefined ? [] : ['its artifact type is left out']),
    ...(document.subject === undefined ? [] : ['its subject is left out']),
  ];
}
