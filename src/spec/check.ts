import { ManifestToolError } from '../errors.js';
import { formatName } from '../oci/reference.js';
import { tagsOf } from '../core/publish/request.js';
import type { RequestedType, Spec } from '../core/publish/request.js';
import { refuseWarnings } from '../core/publish/warnings.js';
import { refuseFaults } from './faults.js';
import type { SpecNode } from './node.js';
import { readSpec, type PlacedSpec, type SpecOptions } from './spec.js';
import { specDocuments, type Variables } from './yaml.js';

/** What became of one spec: what it says, or the error. */
export interface CheckedSpec {
  /** As it was given. */
  readonly file: string;
  /** Which document of the file, from 1; null where the file could not be read. */
  readonly document: number | null;
  /** An error is always of the code USAGE, with file, line and column. */
  readonly outcome: Spec | ManifestToolError;
  /** Each with file, line and column. */
  readonly warnings: readonly string[];
}

/** A file of specs that was read already. */
export interface SpecFile {
  /** For messages. */
  readonly file: string;
  /** All of it. */
  readonly text: string;
}

/** How specs are checked. */
export interface CheckSpecsOptions extends SpecOptions {
  /** The kind of list that they are to be published as; the default is `docker`, which has no annotations. */
  readonly type?: RequestedType;
  /** Makes every warning an error; the default is false. */
  readonly strict?: boolean;
}

/**
 * Checks specs as a publish would read them, without a registry: what is wrong with one is its outcome, and all are checked. No two of them
 * may publish one tag.
 */
export function checkSpecs(
  files: readonly SpecFile[],
  { type = 'docker', strict = false, warning = () => undefined, env }: CheckSpecsOptions = {},
): CheckedSpec[] {
  const checker = new SpecChecker(type, strict, warning);
  return files.flatMap(({ file, text }) => checker.checkText(text, file, env));
}

/** Checks specs as a publish would read them, one after the other: no two of them may publish one tag. */
export class SpecChecker {
  /** Tags by their names, and where they were published first. */
  private readonly published = new Map<string, string>();

  constructor(
    private readonly type: RequestedType,
    private readonly isStrict: boolean,
    private readonly onWarning: (text: string) => void,
  ) {}

  /** Checks all specs of a file; a text that cannot be read is one outcome, with no document. */
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
      refuseFaults(placed, this.type, warning);
      this.refuseOther(placed);
      if (this.isStrict) refuseWarnings(`reading ${root.place()}`, warnings);
      return { file, document, outcome: placed.spec, warnings };
    } catch (error) {
      if (!(error instanceof ManifestToolError)) throw error;
      return { file, document, outcome: error, warnings };
    }
  }

  private refuseOther({ spec, root }: PlacedSpec): void {
    for (const tag of tagsOf(spec)) {
      const name = `${formatName(spec.target)}:${tag}`;
      const other = this.published.get(name);
      if (other !== undefined) {
        throw root.error(
          `${name} is published by ${other} as well: which of them stays is chance`,
          'give one of them another tag',
        );
      }
      this.published.set(name, root.place());
    }
  }
}

/** The outcome of a file of which no document could be read; any error that is not of this program is thrown. */
export function unreadable(file: string, error: unknown): CheckedSpec {
  if (!(error instanceof ManifestToolError)) throw error;
  return { file, document: null, outcome: error, warnings: [] };
}
