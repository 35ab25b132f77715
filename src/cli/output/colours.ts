import type { Io } from '../io.js';

/** Colours of manifest-tool's output, all of them bold. */
export interface Colours {
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly blue: (text: string) => string;
  readonly red: (text: string) => string;
}

/** Colours on a terminal that can show them and where neither --no-color nor NO_COLOR forbids them; none anywhere else. */
export function coloursFor({ stdout, env }: Io, isForbidden: boolean): Colours {
  const isColoured = stdout.isTTY && !isForbidden && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  // Bold and its colour on, then bold off and all off: the sequences that manifest-tool's library writes.
  const colour = (code: number) => (text: string) =>
    isColoured ? `\u001b[1;${code}m${text}\u001b[22;0m` : text;
  return { green: colour(32), yellow: colour(33), blue: colour(34), red: colour(31) };
}
