import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { STANDARD_INPUT } from './spec-file.js';
import type { Variables } from '../../spec/yaml.js';
import { usageError } from '../args/usage.js';

/**
 * The files that a command line names as specs.
 * @throws {ManifestToolError} USAGE where standard input is named twice.
 */
export function specFiles({ positionals }: Parsed): readonly string[] {
  if (positionals.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw usageError('standard input is named twice', 'it can be read once');
  }
  return positionals;
}

/** What stands for variables in specs, where --env asks for it. */
export function specVariables({ switches }: Parsed, { env }: Io): Variables {
  return switches.has('env') ? env : undefined;
}
