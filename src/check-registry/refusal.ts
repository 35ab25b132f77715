import { ManifestToolError, type ErrorCode } from '../errors.js';
import { RegistryError } from '../registry/errors.js';

/** A registry does not do what a check asks; the message is in its own words: remote text. */
export class Refusal extends Error {}

/** A check that could not be made, and why. */
export class NotTried extends Error {}

/** What a registry has agreed to is not so, or not yet. */
export class Absent extends ManifestToolError {
  constructor(why: string) {
    super('NOT_FOUND', 'reading it back', why);
  }
}

/** Errors that are about what was asked for, and not about the way to the registry. */
const SAYS_NO: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'REFUSED',
  'CORRUPT',
  'INCOMPLETE',
  'FAILED',
]);

/**
 * An error as the refusal that it is; all others stay what they are.
 * @param before what had been agreed to, where anything had.
 */
export function refusalOf(error: unknown, before: string): unknown {
  if (!(error instanceof ManifestToolError) || !SAYS_NO.has(error.code)) return error;
  if (before !== '')
    return new Refusal(before + (error instanceof Absent ? error.why : error.message));
  // A repository that is not there, or not for this user, says nothing of the registry.
  if (error.code === 'NOT_FOUND') return error;
  return new Refusal(error.cause instanceof RegistryError ? wordsOf(error.cause) : error.message);
}

function wordsOf({ status, text }: RegistryError): string {
  return `status ${status}${text === '' ? '' : `, ${text}`}`;
}
