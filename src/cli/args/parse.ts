// Only the parser: the rest of yargs, which lays out the help, takes longer to load than everything
// else that is needed at startup.
import { Parser } from 'yargs/helpers';
import { suggestion } from '../../text.js';
import {
  COMMAND_NAMES,
  commandOf,
  isRepeated,
  optionsOf,
  type Arguments,
  type CommandName,
} from './commands.js';
import {
  findOption,
  isRepeatable,
  OPTION_NAMES,
  OPTIONS,
  placeholder,
  takesWord,
  type OptionName,
} from './options.js';
import { NO_VALUE, readOptions, usageError, type TypedOptions } from './values.js';

/** A command line, parsed: a command to run, a page of the help, or the version. */
export type CommandLine<N extends CommandName = CommandName> =
  | {
      readonly kind: 'run';
      readonly command: N;
      readonly words: readonly string[];
      readonly options: TypedOptions;
    }
  | { readonly kind: 'help'; readonly path: readonly string[] }
  | { readonly kind: 'version' };

/**
 * Parses the command line. The values of options are not read yet ({@link readArguments}).
 * @throws {ManifestToolError} USAGE for an unknown command or option, and for missing or surplus
 * arguments.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, options } = splitOptions(argv);
  if (options.has('version')) return { kind: 'version' };
  const path = commandWords(words);
  if (options.has('help')) return { kind: 'help', path };
  const command = COMMAND_NAMES.find((name) => name === path.join(' '));
  if (command === undefined) throw unknownCommand(path, words[path.length]);
  const rest = words.slice(path.length);
  checkOptions(command, options);
  checkPositionals(command, rest);
  return { kind: 'run', command, words: rest, options };
}

/**
 * Reads the arguments of a command.
 * @throws {ManifestToolError} USAGE for a value that an option cannot have.
 */
export function readArguments<N extends CommandName>(
  command: N,
  words: readonly string[],
  options: TypedOptions,
): Arguments<N> {
  const positionals = Object.entries(commandOf(command).positionals).map(
    ([name, what], i) => [name, isRepeated(what) ? words.slice(i) : words[i]!] as const,
  );
  return {
    ...readOptions(optionsOf(command), options),
    ...Object.fromEntries(positionals),
  } as Arguments<N>;
}

/** Words that are not options, and the options with their values. */
function splitOptions(argv: readonly string[]): {
  readonly words: readonly string[];
  readonly options: TypedOptions;
} {
  const names = (isSwitch: boolean): OptionName[] =>
    OPTION_NAMES.filter((name) => (OPTIONS[name].kind === 'switch') === isSwitch);
  const parsed: Record<string, unknown> = Parser(inOneForm(argv), {
    boolean: names(true),
    string: names(false),
    narg: Object.fromEntries(names(false).map((name) => [name, 1])),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': false,
    },
  });
  const options = OPTION_NAMES.filter((name) => parsed[name] !== undefined).map((name) => {
    const values = OPTIONS[name].kind === 'switch' ? [] : [parsed[name]].flat();
    return [name, values as string[]] as const;
  });
  return { words: parsed['_'] as string[], options: new Map(options) };
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Rewrites options as `--name=value`, which yargs reads in one way only. manifest-tool uses Go's
 * flag package, whose forms are kept: one dash for a long name, a value that begins with a dash,
 * and `--switch=false`.
 */
function inOneForm(argv: readonly string[]): string[] {
  const rewritten: string[] = [];
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i]!;
    if (word === '--') return [...rewritten, ...argv.slice(i)];
    const option = splitOption(word);
    if (option === undefined) {
      rewritten.push(word);
      continue;
    }
    const { name, value } = option;
    const { kind } = OPTIONS[name];
    if (kind === 'switch') {
      if (isTrue(name, value)) rewritten.push(`--${name}=true`);
    } else if (kind === 'hosts' || kind === 'checks') {
      const given = value === undefined || TRUE.has(value) ? NO_VALUE : value;
      if (!FALSE.has(given)) rewritten.push(`--${name}=${given}`);
    } else {
      rewritten.push(`--${name}=${value ?? nextWord(argv, (i += 1), name)}`);
    }
  }
  return rewritten;
}

/**
 * The option that a word names, and the value behind its `=`; undefined for a word that is not an
 * option.
 */
function splitOption(
  word: string,
): { readonly name: OptionName; readonly value: string | undefined } | undefined {
  const match = /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(word);
  if (match === null || word === '-') return undefined;
  const [, dashes, typed, value] = match as unknown as [string, string, string, string | undefined];
  const name = findOption(typed);
  const isAlias = typed.length === 1;
  if (name !== undefined && (dashes === '-' || !isAlias)) return { name, value };
  throw usageError(
    `unknown option ${dashes}${typed}${suggestion(typed, OPTION_NAMES, '--')}`,
    'see --help for the options of a command',
  );
}

function isTrue(name: OptionName, value: string | undefined): boolean {
  if (value === undefined || TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw usageError(
    `option --${name} takes no value, but has ${JSON.stringify(value)}`,
    `write --${name}, or omit it`,
  );
}

/** The word at `index` as the value of an option; a complete long option is not a value. */
function nextWord(argv: readonly string[], index: number, name: OptionName): string {
  const word = argv[index];
  if (word !== undefined && !OPTION_NAMES.some((each) => each === /^--([^=]+)/.exec(word)?.[1])) {
    return word;
  }
  const option = OPTIONS[name];
  throw usageError(
    `option --${name} needs a value`,
    `${option.describe}: --${name} ${placeholder(option)}`,
  );
}

/** The words at the start that name a command or a group. */
function commandWords(words: readonly string[]): string[] {
  const path: string[] = [];
  for (const word of words) {
    if (namesUnder([...path, word]).length === 0) break;
    path.push(word);
  }
  return path;
}

/** The commands whose names begin with these words. */
function namesUnder(path: readonly string[]): CommandName[] {
  return COMMAND_NAMES.filter((name) => {
    const words = name.split(' ');
    return path.every((word, i) => words[i] === word);
  });
}

function unknownCommand(path: readonly string[], typed: string | undefined): Error {
  const next = [...new Set(namesUnder(path).map((name) => name.split(' ')[path.length]!))];
  const group = path.join(' ');
  const hint = `commands${group === '' ? '' : ` of ${group}`}: ${next.join(', ')}; see --help`;
  if (typed === undefined) {
    return usageError(`no command${group === '' ? '' : ` after ${group}`} is given`, hint);
  }
  const place = group === '' ? '' : ` of ${group}`;
  return usageError(
    `unknown command ${JSON.stringify(typed)}${place}${suggestion(typed, next)}`,
    hint,
  );
}

function checkOptions(command: CommandName, options: TypedOptions): void {
  const own = commandOf(command).options;
  const all = new Set(optionsOf(command));
  const hint = `see ${command} --help`;
  for (const [name, values] of options) {
    if (!all.has(name)) {
      const similar = suggestion(name, own, '--');
      throw usageError(`${command} has no option --${name}${similar}`, hint);
    }
    if (takesWord(OPTIONS[name]) && !isRepeatable(OPTIONS[name]) && values.length > 1) {
      throw usageError(`option --${name} is given ${values.length} times`, 'give it once');
    }
  }
  const missing = commandOf(command).required.filter((name) => !options.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name}`).join(' and ');
    throw usageError(`${command} needs ${names}`, hint);
  }
}

function checkPositionals(command: CommandName, words: readonly string[]): void {
  const wanted = Object.values(commandOf(command).positionals);
  const hint = `see ${command} --help`;
  const missing = wanted[words.length];
  if (missing !== undefined && !missing.startsWith('['))
    throw usageError(`${command} needs ${missing}`, hint);
  const surplus = isRepeated(wanted.at(-1)) ? undefined : words[wanted.length];
  if (surplus !== undefined) {
    throw usageError(`unexpected argument ${JSON.stringify(surplus)} for ${command}`, hint);
  }
}
