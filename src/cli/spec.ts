import { isScalar, LineCounter, parseAllDocuments, type Document } from 'yaml';
import { ManifestToolError } from '../errors.js';
import { checkPlatform } from '../oci/platform.js';
import { ARCHITECTURE_ALIASES } from '../oci/platform-names.js';
import { isTag, parseReference, type Reference } from '../oci/reference.js';
import type { ListRequest, RequestedPlatform, SourceRequest } from '../plan/request.js';
import { suggestion } from '../text.js';
import { SpecNode } from './spec-node.js';

/** What a spec says of a list; the rest of a request comes from the command line. */
export type Spec = Pick<ListRequest, 'target' | 'tags' | 'annotations' | 'sources'>;

export interface SpecOptions {
  readonly warning: (text: string) => void;
  /** Where `${VAR}` and `${VAR:-default}` in texts are replaced from; left as they are where it is not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the specs of a YAML file, one a document. Keys that are not known are warned of and left out, as manifest-tool leaves them out.
 * @throws {ManifestToolError} USAGE with file, line and column.
 */
export function parseSpecs(text: string, file: string, options: SpecOptions): Spec[] {
  return parseYaml(text, file, options).map((root) => readSpec(root, options.warning));
}

function readSpec(root: SpecNode, warning: (text: string) => void): Spec {
  const { image, manifests, tags, annotations } = known(
    root,
    ['image', 'manifests', 'tags', 'annotations'],
    warning,
  );
  if (image === undefined || image.isNull())
    throw root.error('"image" is missing: the reference under which the list is published');
  if (manifests === undefined || manifests.list().length === 0) {
    throw (manifests ?? root).error('"manifests" is missing: the list of the images to publish');
  }
  return {
    target: reference(image),
    tags: (tags?.list() ?? []).map(tag),
    annotations: new Map(annotations?.members().map(({ name, value }) => [name, value.text()])),
    sources: manifests.list().map((entry) => source(entry, warning)),
  };
}

function parseYaml(text: string, file: string, { env }: SpecOptions): SpecNode[] {
  const lines = new LineCounter();
  const documents = readDocuments(text, file, lines);
  const error = documents.flatMap(({ errors }) => errors)[0];
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    const why = `it is no YAML: ${error.message}`;
    throw new ManifestToolError('USAGE', `reading ${file}:${line}:${col}`, why, { cause: error });
  }
  // A separator at the beginning or the end of a file makes a document of nothing.
  const roots = documents.flatMap((document) => {
    const { contents } = document;
    const isNothing = isScalar(contents) && contents.value === null;
    if (contents === null || (isNothing && documents.length > 1)) return [];
    return [new SpecNode({ file, document, lines, ...(env && { env }) }, contents, 'the spec')];
  });
  if (roots.length === 0) throw new ManifestToolError('USAGE', `reading ${file}`, 'it is empty');
  return roots;
}

/** The parser calls itself for each level of a document: one without end is refused where it has no more room. */
function readDocuments(text: string, file: string, lineCounter: LineCounter): Document[] {
  const options = { lineCounter, merge: true, prettyErrors: false, logLevel: 'error' } as const;
  try {
    const documents = parseAllDocuments(text, options);
    if (!Array.isArray(documents)) return [];
    const errors = documents.flatMap(({ errors: found }) => found);
    if (!errors.some(({ message }) => message.includes('call stack'))) return documents;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new ManifestToolError('USAGE', `reading ${file}`, 'it is nested too deeply');
}

/** The members of a mapping by the names that are known; each of the others is a warning. */
function known<N extends string>(
  node: SpecNode,
  names: readonly N[],
  warning: (text: string) => void,
): { [K in N]?: SpecNode } {
  const found: { [K in N]?: SpecNode } = {};
  for (const { key, name, value } of node.members()) {
    if ((names as readonly string[]).includes(name)) found[name as N] = value;
    else {
      warning(
        `${key.place()}: unknown key ${JSON.stringify(name)} is left out${suggestion(name, names)}`,
      );
    }
  }
  return found;
}

function source(entry: SpecNode, warning: (text: string) => void): SourceRequest {
  const { image, platform } = known(entry, ['image', 'platform'], warning);
  if (image === undefined || image.isNull()) throw entry.error(`${entry.path} has no "image"`);
  return {
    reference: reference(image),
    platform: platform === undefined ? {} : requestedPlatform(platform, warning),
    onlyPlatform: false,
  };
}

const PLATFORM_KEYS = [
  'os',
  'architecture',
  'variant',
  'osversion',
  'osfeatures',
  'os.version',
  'os.features',
] as const;

function requestedPlatform(node: SpecNode, warning: (text: string) => void): RequestedPlatform {
  const keys = known(node, PLATFORM_KEYS, warning);
  const os = keys.os?.text() || undefined;
  const typed = keys.architecture?.text() || undefined;
  const alias = ARCHITECTURE_ALIASES.get(typed ?? '');
  const architecture = alias?.architecture ?? typed;
  const variant = keys.variant?.text() || alias?.variant;
  const osVersion = (keys.osversion ?? keys['os.version'])?.text() || undefined;
  const osFeatures = (keys.osfeatures ?? keys['os.features'])?.list().map((item) => item.text());
  if (os !== undefined && architecture !== undefined) {
    checkPlatform(
      { os, architecture, ...(variant === undefined ? {} : { variant }) },
      `reading ${node.place()}`,
    );
  }
  return {
    ...(os === undefined ? {} : { os }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(osFeatures === undefined || osFeatures.length === 0 ? {} : { osFeatures }),
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

function tag(node: SpecNode): string {
  const text = node.text();
  if (!isTag(text)) throw node.error(`${node.path} ${JSON.stringify(text)} is no tag`);
  return text;
}
