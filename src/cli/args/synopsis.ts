import type { CommandSpec } from '../command.js';
import { OPTIONS, placeholder, type OptionName } from './options.js';

/** What stands behind the name of an option: nothing, ` VALUE` or `[=HOST]`. */
export function valueTerm(name: OptionName): string {
  const option = OPTIONS[name]!;
  const value = placeholder(option);
  return option.kind === 'host' ? '[=HOST]' : value === undefined ? '' : ` ${value}`;
}

/** How a command is typed, without the name of the program: its words, what it needs, and that it has options. */
export function synopsis({ path, required, positionals }: CommandSpec): string {
  const needed = required.map((name) => `--${name}${valueTerm(name)}`);
  return [...path, ...needed, ...positionals, '[options]'].join(' ');
}
