import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ManifestContent } from '../../oci/content.js';
import type { Descriptor } from '../../oci/documents.js';
import type { IndexType } from '../../oci/json/encode-index.js';
import { DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, isManifestType } from '../../oci/media-types.js';
import {
  formatReference,
  tagOrDigestOf,
  withDefaultTag,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import { buildIndex } from './build.js';
import type { SourceRequest, Spec } from './request.js';
import type { ResolvedImage } from './resolved.js';
import { resolveSources } from './resolve.js';
import type { Client } from '../client.js';
import { WaitPolicy } from '../wait.js';

/** The request that would publish what is there, as near as a request of references and platforms can say it. */
export interface RequestOf {
  /** What to publish: the images by their digests. */
  readonly request: Spec;
  /** The kind of list to publish it as. */
  readonly type: IndexType;
  /** What is there now. */
  readonly published: ManifestContent;
  /** What the request would publish; undefined where it would be refused. */
  readonly rebuilt: ManifestContent | undefined;
  /** What the request does not say, or why it would be refused. */
  readonly losses: readonly string[];
}

/**
 * Describes a published list, or one image as a list of it: the images by their digests, with the platforms that the list gives them.
 * The list is built again from that, so that it is known, and not guessed, whether the digest would be the same.
 * @throws {ManifestToolError} NOT_FOUND where it or one of its images is not there; FAILED where no image is in it; as the readers do.
 */
export async function requestOf(client: Client, reference: Reference): Promise<RequestOf> {
  const store = await client.open(reference, 'pull');
  const published = await store.getManifest(tagOrDigestOf(reference));
  const { document } = published;
  const isList = document.kind === 'index';
  const entries = isList ? document.manifests : [published];
  const sources = entries.filter(isImage).map((entry): SourceRequest => ({
    reference: withSuffix(reference, entry.digest),
    platform: ('platform' in entry && entry.platform) || {},
  }));
  if (sources.length === 0) {
    const what = `describing ${formatReference(reference)}`;
    throw new ManifestToolError('FAILED', what, 'there is no image in it that a spec could name', {
      hint: 'copy takes it as it is; inspect --format raw shows what is in it',
    });
  }
  const request = {
    target: targetOf(reference),
    tags: [],
    annotations: (isList ? document.annotations : undefined) ?? new Map<string, string>(),
    sources,
  };
  const type = typeOf(published);
  const losses = lossesOf(published);
  try {
    const whole = { ...request, type };
    const images = await resolveSources(client, whole, {
      events: {},
      wait: new WaitPolicy(undefined, client.signal, {}),
      onManifest: () => {},
    });
    const rebuilt = buildIndex(whole, images);
    return { request: withPlatforms(request, images), type, published, rebuilt, losses };
  } catch (error) {
    if (!(error instanceof ManifestToolError) || error.code !== 'USAGE') throw error;
    const refusal = `it would be refused as it is: ${error.message}`;
    return { request, type, published, rebuilt: undefined, losses: [...losses, refusal] };
  }
}

/** Says of an image of which the list does not tell the platform what its configuration tells. */
function withPlatforms(
  request: RequestOf['request'],
  images: readonly ResolvedImage[],
): RequestOf['request'] {
  const sources = request.sources.map((source, i) => {
    const isBare = Object.keys(source.platform ?? {}).length === 0;
    return isBare ? { ...source, platform: images[i]?.entry.platform ?? {} } : source;
  });
  return { ...request, sources };
}

function isImage(entry: Pick<Descriptor, 'mediaType' | 'annotations'>): boolean {
  return isManifestType(entry.mediaType) && !isAttestation(entry as Descriptor);
}

/** A tag stays; a digest would be refused as soon as the spec is changed, and is left out. */
function targetOf(reference: Reference): Reference {
  const { digest, tag, ...name } = reference;
  if (tag !== undefined) return { ...name, tag };
  return digest === undefined ? withDefaultTag(name) : name;
}

function typeOf({ mediaType }: ManifestContent): IndexType {
  return mediaType === DOCKER_MANIFEST_LIST || mediaType === DOCKER_MANIFEST ? 'docker' : 'oci';
}

function lossesOf({ document }: FetchedManifest): string[] {
  if (document.kind !== 'index') {
    return ['it is an image and no list: the spec publishes a list of that image'];
  }
  const { manifests } = document;
  const images = manifests.filter(isImage);
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
      'entry that is no image is left out',
      'entries that are no images are left out',
    ),
    ...some(annotated, 'image loses its annotations', 'images lose their annotations'),
    ...some(bare, 'image without platform gets one', 'images without platform get one'),
    ...(document.artifactType === undefined ? [] : ['its artifact type is left out']),
    ...(document.subject === undefined ? [] : ['its subject is left out']),
  ];
}
