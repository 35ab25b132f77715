import type { Options } from '../args/values.js';
import type { Output } from '../io.js';

/** Wraps a string in the escape sequences of a color, or returns it as it is. */
export type Paint = (text: string) => string;

/** Colors of the parts of an inspected image. */
export interface InspectColours {
  readonly name: Paint;
  readonly digest: Paint;
  readonly size: Paint;
  readonly count: Paint;
}

/** Colors by meaning. All of them can be read on dark and on light backgrounds. */
export interface Palette {
  readonly good: Paint;
  readonly bad: Paint;
  readonly changed: Paint;
  readonly warning: Paint;
  readonly hint: Paint;
  readonly strong: Paint;
  readonly faint: Paint;
}

/** `--color` and `--no-color`. */
export type ColourOptions = Partial<Options<'color' | 'no-color'>>;

/**
 * Whether output to a stream is colored. The options come first, then FORCE_COLOR and
 * CLICOLOR_FORCE, then NO_COLOR (https://no-color.org); otherwise terminals have colors, except dumb ones.
 */
export function isColoured(
  { isTTY }: Output,
  env: Readonly<Record<string, string | undefined>>,
  { color = 'auto', noColor = false }: ColourOptions = {},
): boolean {
  if (noColor || color !== 'auto') return !noColor && color === 'always';
  for (const forced of [env['FORCE_COLOR'], env['CLICOLOR_FORCE']]) {
    if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  }
  return isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

const plain: Paint = (text) => text;

/**
 * The colors of manifest-tool v2, all of them bold: bold and the color on, then bold and everything
 * off, which are the sequences of its library.
 */
export function manifestToolColours(coloured: boolean): InspectColours {
  const colour = (code: number): Paint =>
    coloured ? (text) => `\u001b[1;${code}m${text}\u001b[22;0m` : plain;
  return { name: colour(32), digest: colour(33), size: colour(34), count: colour(31) };
}

/** The colors of this program's own views. */
export function palette(coloured: boolean): Palette {
  const sequence = (on: string): Paint =>
    coloured ? (text) => (text === '' ? '' : `\u001b[${on}m${text}\u001b[0m`) : plain;
  return {
    good: sequence('32'),
    bad: sequence('1;31'),
    changed: sequence('36'),
    warning: sequence('1;35'),
    hint: sequence('36'),
    strong: sequence('1'),
    faint: sequence('2'),
  };
}
