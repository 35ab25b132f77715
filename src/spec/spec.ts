import type { Environment } from '../core/client-options.js';
import type { SourceRequest, Spec } from '../core/publish/request.js';
import { ManifestToolError } from '../errors.js';
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
  readonly annotations: SpecNode | undefined;
  /** One for each source. */
  readonly entries: readonly SpecNode[];
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
  const names = ['image', 'manifests', 'tags', 'annotations'] as const;
  const { image, manifests, tags, annotations } = knownMembers(root, names, warning);
  if (image === undefined) throw root.missing(NO_IMAGE, IMAGE);
  if (image.isNull()) throw image.error(NO_IMAGE, IMAGE);
  if (manifests === undefined) throw root.missing('"manifests" is missing', MANIFESTS);
  const entries = manifests.list();
  if (entries.length === 0) throw manifests.error('"manifests" is empty', MANIFESTS);
  const spec = {
    target: reference(image),
    tags: tagList(tags?.list() ?? [], warning),
    annotations: new Map(annotations?.members().map(({ name, value }) => [name, value.string()])),
    sources: entries.map((entry) => source(entry, warning)),
  };
  return { spec, root, annotations, entries };
}

function source(entry: SpecNode, warning: (text: string) => void): SourceRequest {
  const { image, platform } = knownMembers(entry, ['image', 'platform'], warning);
  if (image === undefined || image.isNull()) {
    const hint = 'add image: host/repository:tag';
    throw entry.error(`${entry.path} has no "image"`, { hint });
  }
  return {
    reference: reference(image),
    platform: platform === undefined ? {} : requestedPlatform(platform, warning),
  };
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
