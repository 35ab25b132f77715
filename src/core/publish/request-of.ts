import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
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
import type { RequestedPlatform, SourceRequest, Spec } from './request.js';
import { resolveSources } from './resolve.js';
import type { ResolvedImage } from './resolved-image.js';

/** The request that would publish an index again, as far as a spec can express it. */
export interface RequestOf {
  /** What to publish: its manifests by their digests. */
  readonly request: Spec & { readonly type: IndexType };
  /** What is published now. */
  readonly published: ManifestContent;
  /** What the request would publish; undefined if it would be refused. */
  readonly rebuilt: ManifestContent | undefined;
  /** What the request cannot express, or why it would be refused. */
  readonly losses: readonly string[];
}

/**
 * Describes a published index, or one image as an index of it: the manifests by their digests, with
 * the platforms and annotations that the index gives them. The index is built again from that, to
 * know whether its digest would be the same.
 * @throws {ManifestToolError} NOT_FOUND if it or one of its manifests does not exist; FAILED if the
 * index is empty; what the readers throw.
 */
export async function requestOf(client: Client, reference: Reference): Promise<RequestOf> {
  const store = await client.open(reference, 'pull');
  const published = await store.getManifest(tagOrDigestOf(reference));
  const { document } = published;
  const type = publishedType(published);
  const index = document.kind === 'index' ? document : undefined;
  const { mediaType, digest, size } = published;
  const entries = index?.manifests ?? [{ mediaType, digest, size }];
  const sources = entries
    .filter((entry) => isExpressible(entry, type))
    .map((entry) => sourceOf(reference, entry, type));
  if (sources.length === 0) {
    const what = `describing ${formatReference(reference)}`;
    throw new ManifestToolError('FAILED', what, 'it has no images that a spec could name', {
      reason: 'no-image',
    });
  }
  const request: RequestOf['request'] = {
    target: targetOf(reference),
    tags: [],
    type,
    ...(index?.artifactType && type === 'oci' ? { artifactType: index.artifactType } : {}),
    annotations: (type === 'oci' ? index?.annotations : undefined) ?? new Map<string, string>(),
    sources,
  };
  const losses = lossesOf(published, type);
  try {
    const images = await resolveSources(client, request, {
      events: {},
      wait: new WaitPolicy(undefined, client.signal, {}),
      onManifest: () => {},
    });
    const rebuilt = buildIndex(request, images);
    if (index !== undefined) losses.push(...completionsOf(sources, images));
    return { request: withPlatforms(request, images), published, rebuilt, losses };
  } catch (error) {
    if (!(error instanceof ManifestToolError) || error.code !== 'USAGE') throw error;
    const refusal = `it would be refused as it is: ${error.message}`;
    return { request, published, rebuilt: undefined, losses: [...losses, refusal] };
  }
}

/** The source that gives an entry of an index again. */
function sourceOf(reference: Reference, entry: Descriptor, type: IndexType): SourceRequest {
  const { digest, platform = {}, annotations } = entry;
  return {
    reference: withSuffix(reference, digest),
    ...platformPart(platform),
    ...(type === 'oci' && annotations && annotations.size > 0 ? { annotations } : {}),
  };
}

/** The platform of a source as a spec gives it. */
function platformPart(
  platform: RequestedPlatform,
): Pick<SourceRequest, 'platform' | 'onlyPlatform'> {
  return Object.keys(platform).length === 0 ? { platform } : { platform, onlyPlatform: true };
}

/** Completes an entry without platform with the platform of its image config. */
function withPlatforms(
  request: RequestOf['request'],
  images: readonly ResolvedImage[],
): RequestOf['request'] {
  const sources = request.sources.map((source, i) => {
    const isBare = Object.keys(source.platform ?? {}).length === 0;
    return isBare ? { ...source, ...platformPart(images[i]?.entry.platform ?? {}) } : source;
  });
  return { ...request, sources };
}

/** Whether a spec can name an entry: only an OCI index has the annotations of an attestation. */
function isExpressible(entry: Descriptor, type: IndexType): boolean {
  return isManifestType(entry.mediaType) && (type === 'oci' || !isAttestation(entry));
}

/** The target of the request: the tag, or none if the index was read by its digest. */
function targetOf(reference: Reference): Reference {
  const { digest, tag, ...name } = reference;
  if (tag !== undefined) return { ...name, tag };
  return digest === undefined ? withDefaultTag(name) : name;
}

function publishedType({ mediaType }: ManifestContent): IndexType {
  return mediaType === DOCKER_MANIFEST_LIST || mediaType === DOCKER_MANIFEST ? 'docker' : 'oci';
}

/** What images without platform get from their configs. */
function completionsOf(
  sources: readonly SourceRequest[],
  images: readonly ResolvedImage[],
): string[] {
  const completed = sources.flatMap(({ platform = {} }, i) => {
    const entry = images[i]?.entry;
    return Object.keys(platform).length === 0 && entry?.platform !== undefined ? [entry] : [];
  });
  return some(completed, 'image without platform gets one', 'images without platform get one');
}

function lossesOf({ document }: FetchedManifest, type: IndexType): string[] {
  if (document.kind !== 'index') {
    return ['it is a single image: the spec publishes an index of that image'];
  }
  const { manifests, artifactType, subject, annotations } = document;
  const attestations = manifests.filter(isAttestation);
  const others = manifests.filter(({ mediaType }) => !isManifestType(mediaType));
  const entries = manifests.filter((entry) => isExpressible(entry, type));
  const annotated = entries.filter((entry) => (entry.annotations?.size ?? 0) > 0);
  const foreign = entries.filter(({ urls, data }) => urls !== undefined || data !== undefined);
  const isDocker = type === 'docker';
  return [
    ...some(isDocker ? attestations : [], 'attestation is left out', 'attestations are left out'),
    ...some(
      others,
      'entry that is not an image is left out',
      'entries that are not images are left out',
    ),
    ...some(
      isDocker ? annotated : [],
      'image loses its annotations',
      'images lose their annotations',
    ),
    ...some(foreign, 'entry loses its URLs or data', 'entries lose their URLs or data'),
    ...(isDocker && (annotations?.size ?? 0) > 0 ? ['its annotations are left out'] : []),
    ...(isDocker && artifactType !== undefined ? ['its artifact type is left out'] : []),
    ...(subject === undefined ? [] : ['its subject is left out']),
  ];
}

/** A line for what several entries lose; none if there are no such entries. */
function some(entries: readonly Descriptor[], one: string, many: string): string[] {
  if (entries.length === 0) return [];
  return [entries.length === 1 ? `1 ${one}` : `${entries.length} ${many}`];
}
