import { requestOf } from '../core/publish/request-of.js';
import type { RequestedType, Spec as CoreSpec } from '../core/publish/request.js';
import { sourcesFromTemplate as coreSources } from '../core/publish/template.js';
import { ManifestToolError, type ErrorRecord } from '../errors.js';
import type { Platform } from '../oci/platform.js';
import { formatReference, type Reference } from '../oci/reference.js';
import { checkSpecs as checkCoreSpecs } from '../spec/check.js';
import { formatSpec as formatCoreSpec } from '../spec/format.js';
import { parseSpecs as parseCoreSpecs } from '../spec/spec.js';
import {
  annotations,
  boolean,
  callback,
  list,
  object,
  oneOf,
  platform,
  reference,
  string,
  variables,
} from './arguments.js';
import type { Call } from './call.js';
import { contentDescriptor, plain, type Annotations, type ContentDescriptor } from './data.js';
import { source } from './write.js';

/** A source of a {@link Spec}. */
export interface SpecSource {
  /** An image or an index. */
  readonly reference: string;
  /** Of the entry; members that are left out are read from the config of the image. */
  readonly platform?: Partial<Platform>;
  /** Adds only the entry for `platform` of an index. */
  readonly onlyPlatform?: boolean;
  /** Of the entry. */
  readonly annotations?: Annotations;
}

/** What a spec file describes: a part of a `PushRequest`. */
export interface Spec {
  /** The member `image`. */
  readonly target: string;
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
  readonly sources: readonly SpecSource[];
}

/** Checks a {@link Spec}. */
const spec = object(
  {
    target: reference,
    tags: list(string),
    type: oneOf('auto', 'docker', 'oci'),
    artifactType: string,
    annotations,
    dropAttestations: boolean,
    sources: list(source),
  } satisfies Record<keyof Spec, unknown>,
  ['target', 'tags', 'annotations', 'sources'],
);

/** How specs are read. */
export interface SpecOptions {
  /** The name of the file, for messages; the default is `spec`. No file is opened. */
  readonly file?: string;
  /** Called for unknown keys and other things that are probably mistakes. */
  readonly warning?: (text: string) => void;
  /** Values of `${VAR}` and `${VAR:-default}`; without it, strings are left as they are. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const specOptions = object({
  file: string,
  warning: callback,
  env: variables,
} satisfies Record<keyof SpecOptions, unknown>);

/**
 * Reads the specs in a YAML file (specs/spec.schema.json), one for each document. Unknown keys are
 * ignored with a warning, as in manifest-tool.
 * @throws {ManifestToolError} USAGE with file, line, column and the line itself.
 */
export function parseSpecs(text: string, options: SpecOptions = {}): Spec[] {
  const { file = 'spec', env, warning } = specOptions(options, 'options');
  const specs = parseCoreSpecs(string(text, 'text'), file, {
    env,
    ...(warning && { warning: warning as (warned: string) => void }),
  });
  return specs.map(plainSpec);
}

/** A spec file that has been read. */
export interface SpecFile {
  /** Its name, for messages. */
  readonly file: string;
  /** Its content. */
  readonly text: string;
}

/** How specs are checked. */
export interface CheckSpecsOptions extends Omit<SpecOptions, 'file'> {
  /** The type of index to publish; the default is that of the spec, or `docker`. */
  readonly type?: RequestedType;
  /** Turns every warning into an error; the default is false. */
  readonly strict?: boolean;
}

/** The result of checking one spec. */
export type CheckedSpec = {
  /** As it was given. */
  readonly file: string;
  /** Number of the document in the file, from 1; null if the file could not be read. */
  readonly document: number | null;
  /** Each with file, line and column. */
  readonly warnings: readonly string[];
} & (
  | {
      /** It can be published, as far as that is known without a registry. */
      readonly status: 'valid';
      /** The spec. */
      readonly spec: Spec;
    }
  | {
      /** It cannot be published. */
      readonly status: 'invalid';
      /** USAGE with file, line and column. */
      readonly error: ErrorRecord;
    }
);

const specFiles = list(object({ file: string, text: string }, ['file', 'text']));
const checkSpecsOptions = object({
  warning: callback,
  env: variables,
  type: oneOf('auto', 'docker', 'oci'),
  strict: boolean,
} satisfies Record<keyof CheckSpecsOptions, unknown>);

/**
 * Checks specs without a registry, as far as `push` would check them before it asks one. An invalid
 * one does not affect the others. It is an error if two of them publish the same tag.
 */
export function checkSpecs(
  files: readonly SpecFile[],
  options: CheckSpecsOptions = {},
): CheckedSpec[] {
  const { warning, ...others } = checkSpecsOptions(options, 'options');
  const checked = checkCoreSpecs(specFiles(files, 'files'), {
    ...others,
    ...(warning && { warning: warning as (warned: string) => void }),
  });
  return checked.map(({ outcome, file, document, warnings }) => ({
    ...(outcome instanceof ManifestToolError
      ? { status: 'invalid', error: outcome.toJSON() }
      : { status: 'valid', spec: plainSpec(outcome) }),
    file,
    document,
    warnings: [...warnings],
  }));
}

/**
 * Formats a spec as YAML, after one line for each comment. {@link parseSpecs} reads the same spec
 * from it, whatever its strings are.
 */
export function formatSpec(of: Spec, comments: readonly string[] = []): string {
  return formatCoreSpec(spec(of, 'spec'), list(string)(comments, 'comments'));
}

/**
 * Makes one source for each platform by replacing `OS`, `ARCH` and `VARIANT` in a template; a
 * missing variant is replaced by nothing. A template without placeholders is one reference for all
 * platforms; if it names an index, each platform selects its entry of it.
 * @throws {ManifestToolError} USAGE if the result is not a reference.
 */
export function sourcesFromTemplate(
  template: string,
  platforms: readonly (Platform | string)[],
): SpecSource[] {
  return coreSources(string(template, 'template'), list(platform)(platforms, 'platforms')).map(
    plainSource,
  );
}

/** A spec that would publish an index again, as far as a spec can express it. */
export interface SpecOf {
  /** With the manifests by their digests. */
  readonly spec: Spec;
  /** What is published now. */
  readonly published: ContentDescriptor;
  /** What the spec would publish; absent if it would be refused. */
  readonly rebuilt?: ContentDescriptor;
  /** What the spec cannot express, or why it would be refused. */
  readonly losses: readonly string[];
}

export async function specOf({ client }: Call, of: Reference): Promise<SpecOf> {
  const { request, published, rebuilt, losses } = await requestOf(client, of);
  return {
    spec: plainSpec(request),
    published: contentDescriptor(published),
    ...(rebuilt && { rebuilt: contentDescriptor(rebuilt) }),
    losses: [...losses],
  };
}

function plainSpec({ target, sources, ...others }: CoreSpec): Spec {
  return {
    target: formatReference(target),
    ...plain(others),
    sources: sources.map(plainSource),
  };
}

function plainSource({ reference: of, ...others }: CoreSpec['sources'][number]): SpecSource {
  return { reference: formatReference(of), ...plain(others) };
}
