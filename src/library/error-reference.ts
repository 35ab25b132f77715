import type { ErrorRecord, ManifestToolError } from '../errors.js';
import { formatName, formatReference, type Reference } from '../oci/reference.js';

/**
 * The reference that an error is about: of those of its call, the only one in the repository that
 * the error names, or the one that its message repeats; the first if the error names none.
 */
export function referenceOf(
  { reference: name, what }: ManifestToolError,
  references: readonly Reference[],
): string | undefined {
  const named = references.filter((each) => name === undefined || formatName(each) === name);
  const [first, ...others] = [...new Set(named.map(formatReference))];
  if (name === undefined || others.length === 0) return first ?? name;
  const words = what.split(' ');
  return [first, ...others].find((each) => words.includes(each!)) ?? name;
}

/** The record of an error that is one outcome of a call, with the reference that it is about. */
export function failureOf(error: ManifestToolError, references: readonly Reference[]): ErrorRecord {
  const reference = referenceOf(error, references);
  return { ...error.toJSON(), ...(reference !== undefined && { reference }) };
}
