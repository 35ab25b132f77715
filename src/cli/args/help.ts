import yargs, { type Options } from 'yargs';
import { COMMAND_NAMES, commandOf, type CommandName } from './commands.js';
import { GLOBAL_OPTIONS, OPTIONS, placeholder, type OptionName } from './options.js';

/** The widest page; a terminal may be narrower. */
const MAX_WIDTH = 100;
/** The width if standard output is not a terminal. */
const DEFAULT_WIDTH = 80;

const REFERENCE =
  'REF is [host[:port]/]path[:tag][@digest], oci-layout://DIR[:tag], oci-archive://FILE[:tag] or ' +
  'docker-archive://FILE[:tag] (docker save).';

/** The exit codes, for the help in a word and for the manual in a sentence. */
export const EXIT_MEANINGS: readonly {
  readonly code: number;
  readonly word: string;
  readonly meaning: string;
}[] = [
  { code: 0, word: 'done', meaning: 'done' },
  { code: 1, word: 'failed', meaning: 'any failure that none of the others is' },
  { code: 2, word: 'wrong use', meaning: 'wrong use: the command line, a spec, a configuration' },
  { code: 3, word: 'not found', meaning: 'something that is needed is not found' },
  { code: 4, word: 'not allowed', meaning: 'not allowed, or not authenticated' },
  {
    code: 5,
    word: 'registry unavailable',
    meaning: 'the registry is unavailable or limits the rate of requests, after all retries',
  },
  {
    code: 6,
    word: 'refused',
    meaning:
      'refused to overwrite, a verification that failed, or a registry that takes no kind of list',
  },
  { code: 130, word: 'interrupted', meaning: 'interrupted' },
];

/** The help of a command, or of the commands whose names begin with these words. */
export async function helpText(path: readonly string[], columns: number): Promise<string> {
  const width = Math.min(columns || DEFAULT_WIDTH, MAX_WIDTH);
  const names = COMMAND_NAMES.filter((name) =>
    path.every((word, i) => name.split(' ')[i] === word),
  );
  const only = names.length === 1 ? names[0] : undefined;
  const help = yargs().scriptName('manifest-tool').wrap(width).help(false).version(false);
  if (only === undefined) {
    help.usage(['$0', ...path, 'COMMAND [options]'].join(' '));
    for (const name of names) {
      const { positionals, describe } = commandOf(name);
      help.command([name, ...Object.values(positionals)].join(' '), describe);
    }
  } else {
    help.usage(`$0 ${synopsis(only)}`);
    addOptions(help, commandOf(only).options, commandOf(only).required);
  }
  addOptions(help, GLOBAL_OPTIONS, []);
  const codes = EXIT_MEANINGS.map(({ code, word }) => `${code}${FIXED_BLANK}${word}`).join(', ');
  const more = only === undefined ? 'manifest-tool COMMAND --help shows examples.\n' : '';
  help.epilogue(`${more}${REFERENCE}\nExit codes: ${codes}.`);
  const text = (await help.getHelp()).replaceAll(FIXED_BLANK, ' ');
  if (only === undefined) return `${text}\n`;
  // Description and examples go before the options, which yargs puts first.
  const [usage = '', ...rest] = text.split(/\n(?=\n)/);
  const { describe } = commandOf(only);
  return `${[usage, `\n${describe}`, examples(only, width), ...rest].join('\n')}\n`;
}

/**
 * How a command is typed, without the name of the program: its words, what it requires, and that it
 * has options.
 */
export function synopsis(name: CommandName): string {
  const { required, positionals } = commandOf(name);
  const options = required.map((option) => `--${option}${valueTerm(option)}`);
  return [name, ...options, ...Object.values(positionals), '[options]'].join(' ');
}

/** What follows the name of an option: nothing, ` VALUE` or `[=HOST]`. */
export function valueTerm(name: OptionName): string {
  const option = OPTIONS[name];
  const value = placeholder(option);
  if (option.kind === 'checks') return `[=${option.values.join(',')}]`;
  return option.kind === 'hosts' ? '[=HOST]' : value === undefined ? '' : ` ${value}`;
}

function examples(name: CommandName, width: number): string {
  const lines = commandOf(name).examples.flatMap(([example, describe]) => [
    `# ${describe}`,
    ...exampleLines(example, width - 2),
  ]);
  return ['\nExamples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

/**
 * An example folded into lines that can be copied, of at most `width` columns as far as its words
 * allow.
 */
export function exampleLines(example: string, width: number): string[] {
  // An option stays with its value.
  const parts = example
    .replace('$0', 'manifest-tool')
    .split(/ (?=-)|(?<! --?[\w-]+) /)
    .filter((part) => part !== '');
  const lines: string[] = [];
  let line = parts[0]!;
  for (const part of parts.slice(1)) {
    // Two columns for ` \`.
    if (line.length + part.length + 3 > width) {
      lines.push(`${line} \\`);
      line = `    ${part}`;
    } else {
      line = `${line} ${part}`;
    }
  }
  return [...lines, line];
}

/**
 * A blank at which yargs breaks no line: a printable ASCII character that no help contains, so that
 * its width needs no tables.
 */
const FIXED_BLANK = '`';

function addOptions(
  help: ReturnType<typeof yargs>,
  names: readonly OptionName[],
  required: readonly OptionName[],
): void {
  for (const name of names) {
    const { describe, alias, group } = OPTIONS[name];
    const text = required.includes(name) ? `${describe} (required)` : describe;
    const option: Options = {
      describe: text.replaceAll(/\[default: [^\]]{1,30}\]/g, (note) =>
        note.replaceAll(' ', FIXED_BLANK),
      ),
      group: group ?? 'Options:',
      ...(alias === undefined ? {} : { alias }),
    };
    help.option(`${name}${valueTerm(name)}`, option);
  }
}
