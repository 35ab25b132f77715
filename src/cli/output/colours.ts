import type { Io } from '../io.js';

/** The colours of manifest-tool v2's output, all of them bold. */
export interface Colours {
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly red: (text: string) => string;
}

/**
 * The colours for standard output: none unless it is a terminal, and neither --no-color, NO_COLOR
 * nor TERM forbids them.
 */
export function coloursFor({ stdout, env }: Io, isForbidden: boolean): Colours {
  const isColoured = stdout.isTTY && !isForbidden && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  // Bold and the colour on, then bold and everything off: the sequences of manifest-tool's library.
  const colour = (code: number) => (text: string) =>
    isColoured ? `\u001b[1;${code}m${text}\u001b[22;0m` : text;
  return { green: colour(32), yellow: colour(33), blue: colour(34), red: colour(31) };
}
