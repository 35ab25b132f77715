import {
  checkRequest,
  PublishedNames,
  type RequestedType,
  type SourceRequest,
  type Spec,
} from '../core/publish/request.js';
import { refuseWarnings } from '../core/publish/warnings.js';
import { ManifestToolError } from '../errors.js';
import { formatPlatform, isNoPlatform, type Platform } from '../oci/platform.js';
import { entryKey } from '../oci/select-entry.js';
import { present } from '../oci/json/fields.js';
import { formatReference } from '../oci/reference.js';
import type { SpecNode } from './node.js';
import { readSpec, typeOfSpec, type PlacedSpec, type SpecOptions } from './spec.js';
import { specDocuments, type Variables } from './yaml.js';

/** The result of checking one spec. */
export interface CheckedSpec {
  /** As it was given. */
  readonly file: string;
  /** Number of the document in the file, from 1; null if the file could not be read. */
  readonly document: number | null;
  /** The spec, or the error USAGE with file, line and column. */
  readonly outcome: Spec | ManifestToolError;
  /** Each with file, line and column. */
  readonly warnings: readonly string[];
}

/** A file with specs that has been read. */
export interface SpecFile {
  /** Its name, for messages. */
  readonly file: string;
  /** Its content. */
  readonly text: string;
}

/** How specs are checked. */
export interface CheckSpecsOptions extends SpecOptions {
  /**
   * The type of index to publish (default that of the spec, or `docker`, which cannot have
   * annotations).
   */
  readonly type?: RequestedType | undefined;
  /** Turns every warning into an error (default false). */
  readonly strict?: boolean;
}

/**
 * Checks specs without a registry, as far as a publish would check them before it asks one. An
 * error of one is its outcome, and the others are checked all the same. It is an error if two of
 * them publish the same tag.
 */
export function checkSpecs(
  files: readonly SpecFile[],
  { type, strict = false, warning = () => undefined, env }: CheckSpecsOptions = {},
): CheckedSpec[] {
  const checker = new SpecChecker(type, strict, warning);
  return files.flatMap(({ file, text }) => checker.checkText(text, file, env));
}

/** Checks specs one file after another; see {@link checkSpecs}. */
export class SpecChecker {
  private readonly published = new PublishedNames();

  constructor(
    private readonly type: RequestedType | undefined,
    private readonly isStrict: boolean,
    private readonly onWarning: (text: string) => void,
  ) {}

  /** Checks all specs of a file. A file that is not YAML has one outcome, without a document. */
  checkText(text: string, file: string, env: Variables): CheckedSpec[] {
    try {
      return specDocuments(text, file, env).map((root, i) => this.check(root, file, i + 1));
    } catch (error) {
      return [unreadable(file, error)];
    }
  }

  private check(root: SpecNode, file: string, document: number): CheckedSpec {
    const warnings: string[] = [];
    const warning = (text: string): void => {
      warnings.push(text);
      this.onWarning(text);
    };
    try {
      const placed = readSpec(root, warning);
      checkPlaced(placed, this.type);
      checkTwins(placed, warning);
      this.checkTags(placed);
      if (this.isStrict) refuseWarnings(`reading ${root.place()}`, warnings);
      return { file, document, outcome: placed.spec, warnings };
    } catch (error) {
      if (!(error instanceof ManifestToolError)) throw error;
      return { file, document, outcome: error, warnings };
    }
  }

  private checkTags({ spec, root }: PlacedSpec): void {
    const taken = this.published.add(spec, root.place());
    if (taken === undefined) return;
    throw root.error(
      `${taken.name} is also published by ${taken.other}: which of them the tag ends up pointing to is undefined`,
      { hint: 'change the tag of one of them' },
    );
  }
}

/** The outcome of a file that could not be read. Errors of other kinds are thrown. */
export function unreadable(file: string, error: unknown): CheckedSpec {
  if (!(error instanceof ManifestToolError)) throw error;
  return { file, document: null, outcome: error, warnings: [] };
}

/** @throws {ManifestToolError} USAGE if a publish would refuse it whatever its images are. */
function checkPlaced(
  { spec, root, ociOnly }: PlacedSpec,
  requested: RequestedType | undefined,
): void {
  try {
    checkRequest({ ...spec, type: typeOfSpec(spec, requested) });
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    throw (ociOnly ?? root).placed(error);
  }
}

/** Refuses an image or platform that occurs twice; warns if image configs may still differ. */
function checkTwins({ spec, entries }: PlacedSpec, warning: (text: string) => void): void {
  const first = new Map<string, number>();
  spec.sources.forEach((source, i) => {
    const { key, shown, isFinal } = identity(source);
    const twin = first.get(key);
    if (twin === undefined) {
      first.set(key, i);
      return;
    }
    const why = `${entries[i]!.path} is for ${shown}, like ${entries[twin]!.path}`;
    if (isFinal) {
      const hint =
        'remove one of them, or distinguish them by variant, OS version, OS features or a compression annotation';
      throw entries[i]!.error(why, { hint });
    }
    warning(`${entries[i]!.place()}: ${why}: only their image configs can distinguish them`);
  });
}

interface Identity {
  readonly key: string;
  readonly shown: string;
  /** Whether nothing that an image config commonly adds could make it another platform. */
  readonly isFinal: boolean;
}

function identity({ reference, platform = {}, annotations }: SourceRequest): Identity {
  const { os, architecture, variant, osVersion } = platform;
  if (os === undefined || architecture === undefined || isNoPlatform({ os, architecture })) {
    const name = formatReference(reference);
    const key = JSON.stringify([name, platform, [...(annotations ?? [])]]);
    return { key, shown: `the platforms of ${name}`, isFinal: true };
  }
  const requested: Platform = { ...platform, os, architecture };
  const isFinal =
    (os !== 'windows' || osVersion !== undefined) &&
    (architecture !== 'arm' || variant !== undefined);
  const key = entryKey({ platform: requested, ...present('annotations', annotations) });
  return { key, shown: formatPlatform(requested), isFinal };
}
