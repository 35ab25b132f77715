import { suggestion } from '../../text.js';
import { OPTIONS, optionName, placeholder, type OptionName } from './options.js';
import { usageError } from './usage.js';

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/**
 * Brings the command line into the one form that the parser reads without guessing: `--name=value` for all that takes a value, `--name`
 * for a switch. What manifest-tool's parser (Go's flag package) takes is taken: one dash for a long name, a value that begins with a dash,
 * and `--switch=false`.
 * @throws {ManifestToolError} USAGE for an unknown option, a missing value, or a value where none can be.
 */
export function normaliseArguments(argv: readonly string[]): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i]!;
    if (word === '--') return [...out, ...argv.slice(i)];
    const option = readOption(word);
    if (option === undefined) {
      out.push(word);
      continue;
    }
    const { name, value } = option;
    const { kind } = OPTIONS[name]!;
    if (kind === 'switch') {
      if (value === undefined || isTrue(name, value)) out.push(`--${name}`);
    } else if (kind === 'host') {
      const isEverywhere = value === undefined || TRUE.has(value);
      if (isEverywhere || !FALSE.has(value)) out.push(`--${name}=${isEverywhere ? 'true' : value}`);
    } else {
      out.push(`--${name}=${value ?? nextValue(argv, (i += 1), name)}`);
    }
  }
  return out;
}

function readOption(word: string): { name: OptionName; value: string | undefined } | undefined {
  const match = /^(--?)([^=]*)(?:=([\s\S]*))?$/.exec(word);
  if (match === null || word === '-') return undefined;
  const [, dashes, typed, value] = match as unknown as [string, string, string, string | undefined];
  const name = optionName(typed);
  const isLetter = typed.length === 1;
  if (name !== undefined && (dashes === '-' || !isLetter)) return { name, value };
  throw usageError(
    `unknown option ${dashes}${typed}${suggestion(typed, Object.keys(OPTIONS), '--')}`,
    'see --help for the options of a command',
  );
}

function isTrue(name: string, value: string): boolean {
  if (TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  throw usageError(
    `option --${name} is a switch and takes no value ${JSON.stringify(value)}`,
    `write --${name}, or leave it out`,
  );
}

function nextValue(argv: readonly string[], at: number, name: string): string {
  const value = argv[at];
  if (value === undefined || isLongOption(value)) {
    throw usageError(
      `option --${name} needs a value`,
      `${OPTIONS[name]!.describe}: --${name} ${placeholder(OPTIONS[name]!)}`,
    );
  }
  return value;
}

/** Whether a word is one of our options in full: then it is not the value of the one before. */
function isLongOption(word: string): boolean {
  const name = /^--([^=]+)/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(OPTIONS, name);
}
