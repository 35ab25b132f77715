import { ManifestToolError, type ErrorCode } from '../errors.js';
import { RegistryError } from '../registry/errors.js';

/** The registry does not do what a check asks for; the message is its answer: remote text. */
export class Refusal extends Error {}

/** A check could not be made; the message says why. */
export class NotTried extends Error {}

/** What a registry has accepted is not there, or not yet. */
export class Absent extends ManifestToolError {
  constructor(why: string) {
    super('NOT_FOUND', 'reading it back', why);
  }
}

/** Errors that answer what was asked for. The others mean that the registry could not be asked. */
const IS_ANSWER: ReadonlySet<ErrorCode> = new Set([
  'NOT_FOUND',
  'REFUSED',
  'CORRUPT',
  'INCOMPLETE',
  'FAILED',
]);

/**
 * The refusal that an error is; other errors are returned as they are.
 * @param accepted what the registry had accepted before, as the beginning of the message.
 */
export function refusalOf(error: unknown, accepted: string): unknown {
  if (!(error instanceof ManifestToolError) || !IS_ANSWER.has(error.code)) return error;
  if (accepted !== '')
    return new Refusal(accepted + (error instanceof Absent ? error.why : error.message));
  // A repository that does not exist, or not for this user, says nothing about the registry.
  if (error.code === 'NOT_FOUND') return error;
  return new Refusal(
    error.cause instanceof RegistryError ? answerText(error.cause) : error.message,
  );
}

function answerText({ status, text }: RegistryError): string {
  return `status ${status}${text === '' ? '' : `, ${text}`}`;
}
