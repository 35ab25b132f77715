import { ManifestToolError, type ErrorCode } from '../errors.js';
import { RegistryError } from '../registry/errors.js';

/** The registry refuses what a check needs; the message is its answer: remote text. */
export class Refusal extends Error {}

/** A check could not be made; the message says why. */
export class NotTried extends Error {}

/** Content that a registry has accepted does not exist, or not yet. */
export class Absent extends ManifestToolError {
  constructor(why: string) {
    super('NOT_FOUND', 'reading it back', why);
  }
}

/** Whether a server has failed, whatever the request; 501 says that it is not implemented. */
function isServerFailure({ cause }: ManifestToolError): boolean {
  return cause instanceof RegistryError && cause.status >= 500 && cause.status !== 501;
}

/**
 * The error of a check. A status 5xx, also one that another attempt would not change (507), means
 * that the registry cannot be asked, and not that it does not support something.
 */
export function errorOfCheck(error: unknown): unknown {
  if (!(error instanceof ManifestToolError) || !isServerFailure(error)) return error;
  const { what, why, cause } = error;
  const reason = 'registry-unavailable';
  return new ManifestToolError('UNAVAILABLE', what, why, { cause, reason });
}

/** Errors that are the registry's answer. Others mean that there is no answer. */
const IS_ANSWER: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'REFUSED',
  'CORRUPT',
  'INCOMPLETE',
  'FAILED',
]);

/**
 * Converts an error to a refusal if it is the registry's answer; other errors are returned
 * unchanged.
 * @param accepted what the registry had accepted before, as the beginning of the message.
 */
export function refusalOf(error: unknown, accepted: string): unknown {
  if (!(error instanceof ManifestToolError) || !IS_ANSWER.has(error.code)) return error;
  if (isServerFailure(error)) return error;
  if (accepted !== '')
    return new Refusal(accepted + (error instanceof Absent ? error.why : error.message));
  // A repository that is missing or hidden from this user is not a property of the registry.
  if (error.code === 'NOT_FOUND') return error;
  return new Refusal(error.cause instanceof RegistryError ? error.cause.summary : error.message);
}
