import { fileReason, ManifestToolError, unreadableHint } from '../../errors.js';
import type { Variables } from '../../spec/yaml.js';
import { usageError, type Options } from '../args/values.js';
import { readInput } from '../input.js';
import type { Io } from '../io.js';

/** Stands for standard input in place of a file. */
const STANDARD_INPUT = '-';
/** In bytes. */
const MAX_SPEC_SIZE = 1024 * 1024;

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
    throw usageError('standard input is given twice', 'it can be read only once');
  }
  return { files, variables: env ? io.env : undefined };
}

/**
 * Reads the text of a spec; `-` is standard input.
 * @throws {ManifestToolError} USAGE if it cannot be read, is larger than 1 MiB or is not UTF-8;
 * INTERRUPTED.
 */
export async function readSpecFile(path: string, { stdin, signal }: Io): Promise<string> {
  const isStdin = path === STANDARD_INPUT;
  const what = `reading ${isStdin ? 'standard input' : path}`;
  try {
    return await readInput(isStdin ? stdin() : path, { what, limit: MAX_SPEC_SIZE, signal });
  } catch (error) {
    if (error instanceof ManifestToolError) throw error;
    const details = { cause: error, hint: unreadableHint(error) };
    throw new ManifestToolError('USAGE', what, fileReason(error), details);
  }
}
