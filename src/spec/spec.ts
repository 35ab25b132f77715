import { ManifestToolError } from '../errors.js';
import { isTag, parseReference, TAG_RULE, type Reference } from '../oci/reference.js';
import type { SourceRequest, Spec } from '../core/publish/request.js';
import type { Environment } from '../core/client-options.js';
import { knownMembers } from './members.js';
import type { SpecNode } from './node.js';
import { requestedPlatform } from './platform.js';
import { specDocuments } from './yaml.js';

/** A spec, and where it says what, for messages. */
export interface PlacedSpec {
  readonly spec: Spec;
  readonly root: SpecNode;
  readonly annotations: SpecNode | undefined;
  /** One a source. */
  readonly entries: readonly SpecNode[];
}

/** How a spec is read. */
export interface SpecOptions {
  /** Told of keys that are not known, and of what is odd. */
  readonly warning?: (text: string) => void;
  /** Where `${VAR}` and `${VAR:-default}` in texts are replaced from; without it they are left as they are. */
  readonly env?: Environment | undefined;
}

/**
 * Reads the specs of a YAML file (specs/spec.schema.json), one a document. Keys that are not known are warned of and left out, as
 * manifest-tool leaves them out. Each is a part of a {@link IndexRequest}.
 * @param file - the name of the file, for messages; nothing is opened.
 * @throws {ManifestToolError} USAGE with file, line, column and what stands there.
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
  const names = ['image', 'manifests', 'tags', 'annotations'] as const;
  const { image, manifests, tags, annotations } = knownMembers(root, names, warning);
  const noImage = [
    '"image" is missing: the reference under which the list is published',
    'write image: host/repository:tag',
  ] as const;
  if (image === undefined) throw root.missing(...noImage);
  if (image.isNull()) throw image.error(...noImage);
  const noManifests = (what: string) =>
    [
      `"manifests" is ${what}: the list of the images to publish`,
      'write manifests: with a line - image: host/repository:tag below it for each image',
    ] as const;
  if (manifests === undefined) throw root.missing(...noManifests('missing'));
  if (manifests.list().length === 0) throw manifests.error(...noManifests('empty'));
  const entries = manifests.list();
  const spec = {
    target: reference(image),
    tags: tagList(tags?.list() ?? [], warning),
    annotations: new Map(annotations?.members().map(({ name, value }) => [name, value.text()])),
    sources: entries.map((entry) => source(entry, warning)),
  };
  return { spec, root, annotations, entries };
}

function source(entry: SpecNode, warning: (text: string) => void): SourceRequest {
  const { image, platform } = knownMembers(entry, ['image', 'platform'], warning);
  if (image === undefined || image.isNull()) {
    throw entry.error(`${entry.path} has no "image"`, 'write image: host/repository:tag in it');
  }
  return {
    reference: reference(image),
    platform: platform === undefined ? {} : requestedPlatform(platform, warning),
  };
}

function reference(node: SpecNode): Reference {
  const text = node.text();
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    throw node.error(`${node.path} ${JSON.stringify(text)}: ${error.why}`, error.hint);
  }
}

function tagList(nodes: readonly SpecNode[], warning: (text: string) => void): string[] {
  const tags = new Set<string>();
  for (const node of nodes) {
    const text = node.text();
    if (!isTag(text)) throw node.error(`${node.path} ${JSON.stringify(text)} is no tag`, TAG_RULE);
    if (tags.has(text)) warning(`${node.place()}: tag ${JSON.stringify(text)} is there already`);
    tags.add(text);
  }
  return [...tags];
}
