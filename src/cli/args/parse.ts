// The parser alone: the rest of yargs, which lays out the help, takes longer to load than all else that a command line needs.
import { Parser } from 'yargs/helpers';
import { suggestion } from '../../text.js';
import { normaliseArguments } from './arguments.js';
import type { CommandSpec, Parsed } from '../command.js';
import { COMMANDS } from './commands.js';
import { OPTIONS, OPTIONS_EVERYWHERE, type OptionName } from './options.js';
import { usageError } from './usage.js';

/** What was asked for: a command, its help (or that of the words so far), or the version. */
export type Invocation =
  | { readonly kind: 'run'; readonly command: CommandSpec; readonly parsed: Parsed }
  | { readonly kind: 'help'; readonly path: readonly string[] }
  | { readonly kind: 'version' };

/**
 * Reads the command line.
 * @throws {ManifestToolError} USAGE.
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const parsed = readWords(normaliseArguments(argv));
  const { positionals, switches } = parsed;
  if (switches.has('version')) return { kind: 'version' };
  const path = commandWords(positionals);
  if (switches.has('help')) return { kind: 'help', path };
  const command = findCommand(positionals, path);
  const rest = { ...parsed, positionals: positionals.slice(command.path.length) };
  checkOptions(command, rest);
  checkPositionals(command, rest);
  return { kind: 'run', command, parsed: rest };
}

function readWords(words: string[]): Parsed {
  const names = Object.keys(OPTIONS) as OptionName[];
  const isSwitch = (name: OptionName): boolean => OPTIONS[name]!.kind === 'switch';
  // The parser takes quotes off a value, as if it were the shell: it is given the number of each word instead of its text.
  const texts: string[] = [];
  const end = words.indexOf('--');
  const numbered = words.map((word, at) => {
    const [option, text] = end >= 0 && at > end ? ['', word] : splitValue(word);
    return text === undefined ? option : `${option}${texts.push(text) - 1}`;
  });
  const textOf = (number: unknown): string => texts[Number(number)]!;
  const argv: Record<string, unknown> = Parser(numbered, {
    boolean: names.filter(isSwitch),
    string: names.filter((name) => !isSwitch(name)),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': false,
      'short-option-groups': false,
    },
  });
  const values = new Map<OptionName, string[]>();
  const switches = new Set<OptionName>();
  for (const name of names) {
    const value = argv[name];
    if (value === undefined) continue;
    if (isSwitch(name)) switches.add(name);
    else values.set(name, (Array.isArray(value) ? value : [value]).map(textOf));
  }
  return { positionals: (argv['_'] as unknown[]).map(textOf), switches, values };
}

/** `--name=` and the value, a word that is no option, or an option that has none. */
function splitValue(word: string): [option: string, text?: string] {
  const option = /^--[^=]*/.exec(word)?.[0];
  if (option === undefined) return ['', word];
  return option === word ? [option] : [`${option}=`, word.slice(option.length + 1)];
}

/** The words at the start that lead to a command. */
function commandWords(positionals: readonly string[]): string[] {
  const words: string[] = [];
  for (const word of positionals) {
    if (!COMMANDS.some(({ path }) => startsWith(path, [...words, word]))) break;
    words.push(word);
  }
  return words;
}

function startsWith(path: readonly string[], words: readonly string[]): boolean {
  return words.every((word, i) => path[i] === word);
}

function findCommand(positionals: readonly string[], path: readonly string[]): CommandSpec {
  const found = COMMANDS.find(
    (command) => command.path.length === path.length && startsWith(command.path, path),
  );
  if (found !== undefined) return found;
  const next = [
    ...new Set(
      COMMANDS.filter((each) => startsWith(each.path, path)).map((each) => each.path[path.length]!),
    ),
  ];
  const typed = positionals[path.length];
  const place = path.length === 0 ? '' : ` of ${path.join(' ')}`;
  const hint = `commands${place}: ${next.join(', ')}; see --help`;
  if (typed === undefined)
    throw usageError(`no command${place === '' ? '' : ` after ${path.join(' ')}`} is given`, hint);
  throw usageError(
    `unknown command ${JSON.stringify(typed)}${place}${suggestion(typed, next)}`,
    hint,
  );
}

function checkOptions(command: CommandSpec, { switches, values }: Parsed): void {
  const name = command.path.join(' ');
  const own = new Set<OptionName>([...OPTIONS_EVERYWHERE, ...command.options]);
  for (const option of [...switches, ...values.keys()]) {
    if (own.has(option)) continue;
    throw usageError(
      `${name} has no option --${option}${suggestion(option, command.options, '--')}`,
      `see ${name} --help`,
    );
  }
  for (const [option, given] of values) {
    if (OPTIONS[option]!.kind === 'value' && given.length > 1) {
      throw usageError(`option --${option} is given ${given.length} times`, 'give it once');
    }
  }
  const missing = command.required.filter((option) => !values.has(option));
  if (missing.length > 0) {
    throw usageError(
      `${name} needs ${missing.map((option) => `--${option}`).join(' and ')}`,
      `see ${name} --help`,
    );
  }
}

function checkPositionals(command: CommandSpec, { positionals }: Parsed): void {
  const name = command.path.join(' ');
  const wanted = command.positionals;
  if (positionals.length < wanted.length) {
    throw usageError(`${name} needs ${wanted[positionals.length]}`, `see ${name} --help`);
  }
  if (wanted.at(-1)?.endsWith('...') === true) return;
  const extra = positionals[wanted.length];
  if (extra !== undefined) {
    throw usageError(`${name} has no use for ${JSON.stringify(extra)}`, `see ${name} --help`);
  }
}
