import type { Variables } from '../../spec/yaml.js';
import { usageError, type Options } from '../args/values.js';
import { STANDARD_INPUT } from '../input.js';
import type { Io } from '../io.js';

/** The specs that a command reads. */
export interface SpecFiles {
  readonly files: readonly string[];
  /** Replacements for variables in the specs; undefined unless --env is given. */
  readonly variables: Variables;
}

/** @throws {ManifestToolError} USAGE if standard input is given twice. */
export function specFiles(
  { files, env }: { readonly files: readonly string[] } & Options<'env'>,
  io: Io,
): SpecFiles {
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw usageError('standard input (-) is given twice', 'pass it once: it can be read only once');
  }
  return { files, variables: env ? io.env : undefined };
}
