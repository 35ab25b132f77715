import { ManifestToolError } from '../errors.js';
import { formatPlatform, type Platform } from '../oci/platform.js';
import { formatName, formatReference } from '../oci/reference.js';
import type { ListRequest } from '../plan/request.js';
import { tagsOf } from '../plan/publication.js';
import { refuseWarnings } from '../plan/strict.js';
import { refuseFaults } from './spec-faults.js';
import type { SpecNode } from './spec-node.js';
import { readSpec, type PlacedSpec, type Spec } from './spec.js';

/** What became of one spec: what it says, or the error. */
export interface CheckedSpec {
  readonly file: string;
  /** Which document of the file, from 1; null where the file could not be read. */
  readonly document: number | null;
  readonly outcome: Spec | ManifestToolError;
  readonly warnings: readonly string[];
}

/** Checks specs as a publish would read them, one after the other: no two of them may publish one tag. */
export class SpecChecker {
  /** Tags by their names, and where they were published first. */
  private readonly published = new Map<string, string>();

  constructor(
    private readonly type: ListRequest['type'],
    private readonly isStrict: boolean,
    private readonly onWarning: (text: string) => void,
  ) {}

  check(root: SpecNode, file: string, document: number): CheckedSpec {
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
        throw root.error(`${name} is published by ${other} as well: which of them stays is chance`);
      }
      this.published.set(name, root.place());
    }
  }
}

/** The line of a spec that is right; `place` is `FILE`, or `FILE#DOCUMENT`. */
export function checkLine(place: string, { target, tags, sources }: Spec): string {
  const images = sources.length === 1 ? '1 image' : `${sources.length} images`;
  const further = tags.length === 0 ? '' : `, tags ${tags.join(', ')}`;
  return `ok ${place} ${formatReference(target)} ${images}${further}`;
}

/** The same for programs. */
export function checkDocument({ file, document, outcome, warnings }: CheckedSpec): object {
  if (outcome instanceof ManifestToolError) {
    const { code, message, hint } = outcome;
    const error = { code, message, ...(hint === undefined ? {} : { hint }) };
    return { file, document, ok: false, warnings, error };
  }
  const { target, tags, annotations, sources } = outcome;
  return {
    file,
    document,
    ok: true,
    warnings,
    target: formatReference(target),
    tags,
    annotations: Object.fromEntries(annotations),
    images: sources.map(({ reference, platform }) => ({
      image: formatReference(reference),
      platform: isWhole(platform) ? formatPlatform(platform) : null,
    })),
  };
}

function isWhole(platform: Partial<Platform>): platform is Platform {
  return platform.os !== undefined && platform.architecture !== undefined;
}
