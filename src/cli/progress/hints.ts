import type { ErrorCode } from '../../errors.js';

/** What to try after an error that does not say so itself, by its class; `command` is the one that runs, where it is known. */
export function hintOf(code: ErrorCode, command: string | undefined): string {
  if (code === 'USAGE') return command === undefined ? 'see --help' : `see ${command} --help`;
  // Whatever was stopped, nobody but the user knows whether it is still wanted.
  if (code === 'INTERRUPTED') return 'run it again to have it done';
  return '--debug shows each request, and the causes of an error';
}
