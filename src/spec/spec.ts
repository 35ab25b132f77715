import type { Environment } from '../core/client-options.js';
import type { RequestedType, SourceRequest, Spec } from '../core/publish/request.js';
import { ManifestToolError } from '../errors.js';
import type { Annotations } from '../oci/descriptor.js';
import { present } from '../oci/json/fields.js';
import { isMediaType } from '../oci/media-types.js';
import { isTag, parseReference, TAG_RULE, type Reference } from '../oci/reference.js';
import { knownMembers, type SpecNode } from './node.js';
import { requestedPlatform } from './platform.js';
import { specDocuments } from './yaml.js';

const NO_IMAGE = '"image" is missing: the reference to publish';
const IMAGE = { hint: 'write image: host/repository:tag' };
const MANIFESTS = {
  hint: 'write manifests: and below it a line "- image: host/repository:tag" for each image',
};

/** A spec with the nodes that it was read from, for messages. */
export interface PlacedSpec {
  readonly spec: Spec;
  readonly root: SpecNode;
  /** The first node that only an OCI index can have. */
  readonly ociOnly: SpecNode | undefined;
  /** One for each source. */
  readonly entries: readonly SpecNode[];
}

/** The type of index that a spec is published as: the requested one, its own, or `docker`. */
export function typeOfSpec(spec: Spec, requested: RequestedType | undefined): RequestedType {
  return requested ?? spec.type ?? 'docker';
}

/** How a spec is read. */
export interface SpecOptions {
  /** Called for unknown keys and other things that are probably mistakes. */
  readonly warning?: (text: string) => void;
  /** Values of `${VAR}` and `${VAR:-default}`; without it, strings are left as they are. */
  readonly env?: Environment | undefined;
}

/**
 * Reads the specs in a YAML file (specs/spec.schema.json), one for each document. Unknown keys are
 * ignored with a warning, as in manifest-tool. A spec is a part of an {@link IndexRequest}.
 * @param file - the name of the file, for messages; no file is opened.
 * @throws {ManifestToolError} USAGE with file, line, column and the line itself.
 */
export function parseSpecs(text: string, file: string, options: SpecOptions = {}): Spec[] {
  const { env, warning = () => undefined } = options;
  return specDocuments(text, file, env).map((root) => readSpec(root, warning).spec);
}

/**
 * Reads one document.
 * @throws {ManifestToolError} as {@link parseSpecs} does.
 */
export function readSpec(root: SpecNode, warning: (text: string) => void): PlacedSpec {
  const members = knownMembers(root, KEYS, warning);
  const { image, manifests, tags, annotations, type, artifactType, attestations } = members;
  if (image === undefined) throw root.missing(NO_IMAGE, IMAGE);
  if (image.isNull()) throw image.error(NO_IMAGE, IMAGE);
  if (manifests === undefined) throw root.missing('"manifests" is missing', MANIFESTS);
  const entries = manifests.list();
  if (entries.length === 0) throw manifests.error('"manifests" is empty', MANIFESTS);
  const target = reference(image);
  const sources = entries.map((entry) => source(entry, warning));
  const dropped = attestations && choice(attestations, ['keep', 'drop'] as const);
  const spec: Spec = {
    target,
    tags: tagList(tags?.list() ?? [], warning),
    ...present('type', type && choice(type, ['docker', 'oci', 'auto'] as const)),
    ...present('artifactType', artifactType && mediaType(artifactType)),
    annotations: annotationMap(annotations, warning),
    ...present('dropAttestations', dropped && dropped === 'drop'),
    sources: sources.map(({ request }) => request),
  };
  const annotated = sources.find(({ request }) => request.annotations !== undefined);
  const ociOnly =
    spec.annotations.size > 0 ? annotations : (annotated?.annotations ?? artifactType);
  return { spec, root, ociOnly, entries };
}

const KEYS = [
  'image',
  'type',
  'artifactType',
  'tags',
  'annotations',
  'attestations',
  'manifests',
] as const;

interface PlacedSource {
  readonly request: SourceRequest;
  readonly annotations: SpecNode | undefined;
}

function source(entry: SpecNode, warning: (text: string) => void): PlacedSource {
  const names = ['image', 'platform', 'annotations'] as const;
  const { image, platform, annotations } = knownMembers(entry, names, warning);
  if (image === undefined || image.isNull()) {
    const hint = 'add image: host/repository:tag';
    throw entry.error(`${entry.path} has no "image"`, { hint });
  }
  const requested = platform === undefined ? {} : requestedPlatform(platform, warning);
  const own = annotationMap(annotations, warning);
  const request: SourceRequest = {
    reference: reference(image),
    platform: requested,
    ...(Object.keys(requested).length === 0 ? {} : { onlyPlatform: true }),
    ...(own.size === 0 ? {} : { annotations: own }),
  };
  return { request, annotations };
}

function annotationMap(node: SpecNode | undefined, warning: (text: string) => void): Annotations {
  const members = node?.members() ?? [];
  for (const { key, value } of members) {
    for (const part of [key, value]) {
      const name = part.unreplacedVariable();
      if (name !== undefined)
        warning(
          `${part.place()}: ${value.path} has the variable \${${name}}, which is not replaced`,
        );
    }
  }
  return new Map(members.map(({ name, value }) => [name, value.string()]));
}

/** One of several strings; undefined if there is no value. */
function choice<T extends string>(node: SpecNode, values: readonly T[]): T | undefined {
  const text = node.string();
  const found = values.find((value) => value === text);
  if (found !== undefined || text === '') return found;
  const some = `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
  throw node.error(`${node.path} ${JSON.stringify(text)} is not ${some}`, {
    hint: `write ${values.map((value) => `${node.path}: ${value}`).join(' or ')}`,
  });
}

function mediaType(node: SpecNode): string | undefined {
  const text = node.string();
  if (text === '' || isMediaType(text)) return text || undefined;
  throw node.error(`${node.path} ${JSON.stringify(text)} is not a media type`, {
    hint: 'write a type such as application/vnd.example.app',
  });
}

function reference(node: SpecNode): Reference {
  const text = node.string();
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    throw node.placed(error, `${node.path} ${JSON.stringify(text)}: `);
  }
}

function tagList(nodes: readonly SpecNode[], warning: (text: string) => void): string[] {
  const tags = new Set<string>();
  for (const node of nodes) {
    const tag = node.string();
    if (!isTag(tag)) {
      throw node.error(`${node.path} ${JSON.stringify(tag)} is not a valid tag`, {
        hint: TAG_RULE,
      });
    }
    if (tags.has(tag)) warning(`${node.place()}: tag ${JSON.stringify(tag)} is listed twice`);
    tags.add(tag);
  }
  return [...tags];
}
