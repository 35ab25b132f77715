import { padEnd, wrap } from '../output/columns.js';
import {
  COMMAND_GROUPS,
  COMMAND_NAMES,
  commandOf,
  optionText,
  synopsis,
  valueTerm,
  type CommandName,
} from './commands.js';
import { GLOBAL_OPTIONS, OPTIONS, type OptionName } from './options.js';

/** The widest page; a terminal may be narrower. */
const MAX_WIDTH = 100;
/** The width if standard output is not a terminal. */
const DEFAULT_WIDTH = 80;
/** Longest term that has its text on the same line. */
const MAX_TERM = 36;
/** Fewest columns that a description gets beside its term. */
const MIN_TEXT = 20;

const INTRODUCTION =
  'Publishes, inspects, edits and verifies multi-platform container images in registries, OCI ' +
  'layouts and archives. A drop-in replacement for manifest-tool v2.';

const DETAILS = 'Options and examples of a command: manifest-tool COMMAND --help';
const EVERYWHERE =
  'Options of every command (credentials, TLS, retries): manifest-tool --help --all';
const DOCUMENTATION = 'Documentation: https://github.com/OWNER/manifest-tool/tree/main/docs';

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
  { code: 1, word: 'failed', meaning: 'any other failure' },
  { code: 2, word: 'usage', meaning: 'invalid arguments, spec or configuration' },
  { code: 3, word: 'not found', meaning: 'not found' },
  { code: 4, word: 'not authorized', meaning: 'not authenticated or not authorized' },
  {
    code: 5,
    word: 'registry unavailable',
    meaning: 'the registry is unavailable or rate limits, after all retries',
  },
  {
    code: 6,
    word: 'refused',
    meaning: 'refused to overwrite, different, or verification failed',
  },
  { code: 130, word: 'interrupted', meaning: 'interrupted' },
];

/**
 * The help of a command, or of the commands whose names begin with the words of `path`.
 * @param columns width of the terminal; 0 if there is none
 * @param isAll also shows the options of every command, and the exit codes
 */
export function helpText(path: readonly string[], columns: number, isAll = false): string {
  const width = Math.min(columns || DEFAULT_WIDTH, MAX_WIDTH);
  const names = COMMAND_NAMES.filter((name) =>
    path.every((word, i) => name.split(' ')[i] === word),
  );
  const only = names.length === 1 ? names[0] : undefined;
  const blocks = only === undefined ? groupPage(path, names, width) : commandPage(only, width);
  if (isAll) blocks.push(...globalSections(width));
  const footer = [
    ...(only === undefined ? [DETAILS] : []),
    ...(isAll ? [] : [EVERYWHERE]),
    ...(path.length === 0 ? [DOCUMENTATION] : []),
  ];
  if (footer.length > 0) blocks.push(footer.flatMap((line) => wrap(line, width)));
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Lines = string[];

/** The commands in their groups; the page of all begins with what the program is. */
function groupPage(path: readonly string[], names: readonly CommandName[], width: number): Lines[] {
  const usage = ['Usage: manifest-tool', ...path, 'COMMAND [options]'].join(' ');
  const rows = names.map((name) => ({ name, row: [usageOf(name), commandOf(name).describe] }));
  const terms = rows.map(({ row }) => row[0]!);
  const sections = COMMAND_GROUPS.map((group): Lines => {
    const own = rows.filter(({ name }) => commandOf(name).group === group);
    return own.length === 0
      ? []
      : [
          `${group}:`,
          ...table(
            own.map(({ row }) => row as [string, string]),
            width,
            terms,
          ),
        ];
  });
  return [
    ...(path.length === 0 ? [wrap(INTRODUCTION, width)] : []),
    wrap(usage, width),
    ...sections.filter((lines) => lines.length > 0),
  ];
}

function commandPage(name: CommandName, width: number): Lines[] {
  const { describe, options, required } = commandOf(name);
  const rows = options.map((option) => optionRow(option, name, required.includes(option)));
  return [
    wrap(`Usage: manifest-tool ${synopsis(name)}`, width),
    wrap(`${describe.charAt(0).toUpperCase()}${describe.slice(1)}.`, width),
    ['Examples:', ...exampleBlock(name, width)],
    ...(rows.length === 0 ? [] : [['Options:', ...table(rows, width)]]),
  ];
}

/** The options of every command in their groups, references and exit codes. */
function globalSections(width: number): Lines[] {
  const groups = [...new Set(GLOBAL_OPTIONS.map((name) => OPTIONS[name].group!))];
  const sections = groups.map((group): Lines => {
    const own = GLOBAL_OPTIONS.filter((name) => OPTIONS[name].group === group);
    return [
      group,
      ...table(
        own.map((name) => optionRow(name, undefined, false)),
        width,
      ),
    ];
  });
  // A code stays with its meaning.
  const codes = EXIT_MEANINGS.map(({ code, word }) => `${code} ${word}`.replaceAll(' ', '\u00a0'));
  const exit = wrap(`Exit codes: ${codes.join(', ')}.`, width);
  return [
    ...sections,
    [...wrap(REFERENCE, width), ...exit.map((line) => line.replaceAll('\u00a0', ' '))],
  ];
}

function optionRow(
  name: OptionName,
  command: CommandName | undefined,
  isRequired: boolean,
): [string, string] {
  const { alias } = OPTIONS[name];
  const letter = alias === undefined ? '    ' : `-${alias}, `;
  const text = optionText(name, command);
  return [`${letter}--${name}${valueTerm(name)}`, isRequired ? `${text} (required)` : text];
}

/**
 * Terms and their texts in two columns. A text is below its term if the term is long, or the
 * terminal too narrow for both. The first column fits all of `terms`.
 */
function table(
  rows: readonly (readonly [term: string, text: string])[],
  width: number,
  terms: readonly string[] = rows.map(([term]) => term),
): Lines {
  const lengths = terms.map((term) => term.length).filter((length) => length <= MAX_TERM);
  const indent = Math.max(...lengths) + 4;
  const isNarrow = width - indent < MIN_TEXT;
  return rows.flatMap(([term, text]) => {
    const at = ' '.repeat(isNarrow ? 6 : indent);
    const lines = wrap(text, width - at.length).map((line) => at + line);
    if (isNarrow || term.length > MAX_TERM) return [`  ${term}`, ...lines];
    return [padEnd(`  ${term}`, indent) + lines[0]!.slice(indent), ...lines.slice(1)];
  });
}

/** A command and its arguments, without the options. */
function usageOf(name: CommandName): string {
  return [name, ...Object.values(commandOf(name).positionals)].join(' ');
}

function exampleBlock(name: CommandName, width: number): string[] {
  const lines = commandOf(name).examples.flatMap(([example, describe]) => [
    `# ${describe}`,
    ...exampleLines(example, width - 2),
  ]);
  return lines.map((line) => `  ${line}`);
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
