import type { Digest } from '../../oci/digest.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import { countOf } from '../../text.js';

/** A file with native code in an image. */
export interface NativeProgram {
  /** In the image: absolute, without links. */
  readonly path: string;
  /** By its first bytes. */
  readonly format: 'ELF' | 'PE' | 'Mach-O';
  /** As GOARCH has them; a fat Mach-O file has several. */
  readonly architectures: readonly string[];
  /** Of a program for arm: the version of the architecture that it needs, if it says so. */
  readonly armVersion?: number;
}

/** Programs of one kind: how many, and the first ten. */
export interface NativePrograms {
  /** All of them. */
  readonly count: number;
  /** At most ten. */
  readonly first: readonly NativeProgram[];
}

/** What the layers of an image hold, compared with its platform. */
export interface ImageExecutables {
  /** Of the manifest of the image. */
  readonly digest: Digest;
  /** Of the entry, or else of the config. */
  readonly platform: Platform;
  /** The number of files with native code: ELF, PE and Mach-O. */
  readonly programs: number;
  /** What a container runs at its start, as far as it is known. */
  readonly started: readonly NativeProgram[];
  /** For another architecture, and not among those that are started: often data. */
  readonly others: NativePrograms;
  /** For an architecture that most processors of the platform run as well, as 386 on amd64. */
  readonly compatible: NativePrograms;
  /** What was not examined or could not be found, as predicates of the image. */
  readonly notes: readonly string[];
}

/** What is worth knowing about the programs of an image and no defect, one line each. */
export function executablesNotes({
  platform,
  others,
  compatible,
  notes,
}: ImageExecutables): string[] {
  const name = formatPlatform(platform);
  return [
    ...notes.map((note) => `${name} ${note}`),
    ...programsNote(name, others, 'of another architecture that it does not start'),
    ...programsNote(name, compatible, 'of an architecture that it probably runs as well'),
  ];
}

function programsNote(platform: string, { count, first }: NativePrograms, which: string): string[] {
  if (count === 0) return [];
  const names = first.map(({ path, architectures }) => `${path} (${architectures.join(', ')})`);
  const more = count > first.length ? ` and ${count - first.length} more` : '';
  return [`${platform} has ${countOf(count, 'program')} ${which}: ${names.join(', ')}${more}`];
}
