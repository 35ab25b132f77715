// Only the parser: the rest of yargs, which lays out the help, takes longer to load than everything
// else that is needed at startup.
import { Parser } from 'yargs/helpers';
import { listSome, suggestion } from '../../text.js';
import {
  COMMAND_NAMES,
  commandOf,
  isRepeated,
  optionsOf,
  optionText,
  synopsis,
  type Arguments,
  type CommandName,
} from './commands.js';
import {
  findOption,
  GLOBAL_OPTIONS,
  isRepeatable,
  OPTION_NAMES,
  OPTIONS,
  placeholder,
  takesWord,
  type OptionName,
} from './options.js';
import { foreignCommand, foreignOption, misplacedOption } from './foreign.js';
import { NO_VALUE, readOptions, usageError, type TypedOptions } from './values.js';

/** A command line, parsed: a command to run, a page of the help, or the version. */
export type CommandLine<N extends CommandName = CommandName> =
  | {
      readonly kind: 'run';
      readonly command: N;
      readonly words: readonly string[];
      readonly options: TypedOptions;
    }
  | { readonly kind: 'help'; readonly path: readonly string[]; readonly isAll: boolean }
  | { readonly kind: 'version' };

/**
 * Parses the command line. The values of options are not read yet ({@link readArguments}).
 * @throws {ManifestToolError} USAGE for an unknown command or option, and for missing or surplus
 * arguments.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const { words, options, unknown } = splitOptions(argv);
  const path = commandWords(words);
  const command = COMMAND_NAMES.find((name) => name === path.join(' '));
  const isHelp = options.has('help');
  const next = words[path.length];
  if (command === undefined && !isHelp) {
    const equivalent = foreignCommand(words);
    if (equivalent !== undefined) throw unknownCommand(path, next, equivalent);
  }
  if (unknown[0] !== undefined) throw unknownOption(unknown[0], command);
  if (options.has('version')) return { kind: 'version' };
  const isBare = command === undefined && next === undefined && !hasOwnOptions(options);
  if (isHelp || isBare) return { kind: 'help', path, isAll: options.has('all') };
  if (command === undefined) throw unknownCommand(path, next);
  const rest = words.slice(path.length);
  checkOptions(command, options);
  checkPositionals(command, rest, options);
  return { kind: 'run', command, words: rest, options };
}

/** Whether there are options that not every command has: a command was probably forgotten. */
function hasOwnOptions(options: TypedOptions): boolean {
  const names: readonly OptionName[] = GLOBAL_OPTIONS;
  return [...options.keys()].some((name) => !names.includes(name) && name !== 'all');
}

/**
 * The words that name a command or a group.
 * @throws {ManifestToolError} USAGE if there is no such command.
 */
export function findCommands(words: readonly string[]): readonly string[] {
  const path = commandWords(words);
  if (path.length === words.length) return path;
  throw unknownCommand(path, words[path.length], foreignCommand(words));
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

/** Splits a command line into words that are not options, and the options with their values. */
function splitOptions(argv: readonly string[]): {
  readonly words: readonly string[];
  readonly options: TypedOptions;
  /** Options that no command has, as typed and without a value. */
  readonly unknown: readonly string[];
} {
  const unknown: string[] = [];
  const names = (isSwitch: boolean): OptionName[] =>
    OPTION_NAMES.filter((name) => (OPTIONS[name].kind === 'switch') === isSwitch);
  const parsed: Record<string, unknown> = Parser(inOneForm(argv, unknown), {
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
  return { words: parsed['_'] as string[], options: new Map(options), unknown };
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Rewrites options as `--name=value`, which yargs reads in one way only. manifest-tool uses Go's
 * flag package, whose forms are kept: one dash for a long name, a value that begins with a dash,
 * and `--switch=false`. Options that are not known are added to `unknown`.
 */
function inOneForm(argv: readonly string[], unknown: string[]): string[] {
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
    if (name === undefined) {
      unknown.push(option.typed);
      continue;
    }
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
 * The option that a word names, and the value after its `=`; undefined for a word that is not an
 * option. `typed` is the word up to the `=`.
 */
function splitOption(word: string):
  | {
      readonly name: OptionName | undefined;
      readonly typed: string;
      readonly value: string | undefined;
    }
  | undefined {
  const match = /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(word);
  if (match === null || word === '-') return undefined;
  const [, dashes, typed, value] = match as unknown as [string, string, string, string | undefined];
  // A single letter has one dash.
  const name = dashes === '--' && typed.length === 1 ? undefined : findOption(typed);
  return { name, typed: `${dashes}${typed}`, value };
}

function unknownOption(typed: string, command: CommandName | undefined): Error {
  const name = typed.replace(/^--?/, '');
  const known = command === undefined ? OPTION_NAMES : optionsOf(command);
  const equivalent = foreignOption(name);
  const near = equivalent === undefined ? suggestion(name, known, '--') : '';
  return usageError(`unknown option ${typed}${near}`, equivalent ?? helpHint(command));
}

function helpHint(command: CommandName | undefined): string {
  return command === undefined
    ? 'see "manifest-tool --help"'
    : `see "manifest-tool ${command} --help"`;
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
  throw usageError(
    `option --${name} needs a value`,
    `write --${name} ${placeholder(OPTIONS[name])}: ${optionText(name, undefined)}`,
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

/** `equivalent` is the line of this program for a command of another tool. */
function unknownCommand(
  path: readonly string[],
  typed: string | undefined,
  equivalent?: string,
): Error {
  const next = [...new Set(namesUnder(path).map((name) => name.split(' ')[path.length]!))];
  const group = path.join(' ');
  const place = group === '' ? '' : ` of ${group}`;
  const commands = `commands${place}: ${next.join(', ')}`;
  if (typed === undefined) {
    const why = group === '' ? 'no command is given' : `${group} needs a command`;
    return usageError(why, commands);
  }
  const near = equivalent === undefined ? suggestion(typed, next) : '';
  if (group === 'push' && /[/:]/.test(typed)) {
    return usageError(
      'push needs from-args or from-spec',
      `${commands}; to publish an index of given images, use "manifest-tool create --target REF IMAGE..."`,
    );
  }
  return usageError(
    `unknown command ${JSON.stringify(typed)}${place}${near}`,
    equivalent ?? commands,
  );
}

function checkOptions(command: CommandName, options: TypedOptions): void {
  const own = commandOf(command).options;
  const all = new Set(optionsOf(command));
  for (const [name, values] of options) {
    if (!all.has(name)) {
      const hint = misplacedOption(command, name);
      const similar = hint === undefined ? suggestion(name, own, '--') : '';
      throw usageError(`${command} has no option --${name}${similar}`, hint ?? helpHint(command));
    }
    if (takesWord(OPTIONS[name]) && !isRepeatable(OPTIONS[name]) && values.length > 1) {
      throw usageError(`option --${name} is given ${values.length} times`, 'pass it once');
    }
  }
  const missing = commandOf(command).required.filter((name) => !options.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `--${name}`).join(', ');
    throw usageError(`${command} needs ${names}`, usageHint(command));
  }
}

function checkPositionals(
  command: CommandName,
  words: readonly string[],
  options: TypedOptions,
): void {
  const wanted = Object.values(commandOf(command).positionals);
  const missing = wanted[words.length];
  if (missing !== undefined && !missing.startsWith('['))
    throw usageError(`${command} needs ${missing}`, usageHint(command));
  const surplus = isRepeated(wanted.at(-1)) ? undefined : words[wanted.length];
  if (surplus !== undefined) {
    const hint =
      splitListHint(words.slice(wanted.length), options) ??
      (command === 'annotate' ? SELECT_ENTRY : usageHint(command));
    throw usageError(`unexpected argument ${JSON.stringify(surplus)} for ${command}`, hint);
  }
}

/** For `docker manifest annotate INDEX IMAGE`. */
const SELECT_ENTRY = 'select the entry with --platform os/arch[/variant] or --digest DIGEST';

function usageHint(command: CommandName): string {
  return `usage: manifest-tool ${synopsis(command)}`;
}

/** Most values that a hint repeats. */
const MAX_VALUES = 8;

/**
 * Hint for a list that the shell split at blanks: `--platforms linux/amd64, linux/arm64`, or the
 * same without the comma. Undefined if no option has such a value.
 */
function splitListHint(surplus: readonly string[], options: TypedOptions): string | undefined {
  for (const [name, values] of options) {
    const option = OPTIONS[name];
    if (option.kind !== 'list') continue;
    const areAlike = option.value.startsWith('P') && surplus.every((word) => /^\w+\//.test(word));
    if (!areAlike && !values.some((value) => value.endsWith(','))) continue;
    const items = [...values, ...surplus].flatMap((value) => value.split(',')).filter(Boolean);
    const list = items.length > MAX_VALUES ? listSome(items, MAX_VALUES) : items.join(',');
    return `separate values with commas, without spaces: --${name} ${list}`;
  }
  return undefined;
}
