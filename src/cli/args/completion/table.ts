import { ARCHITECTURES, OPERATING_SYSTEMS } from '../../../oci/platform-names.js';
import { COMMAND_NAMES, commandOf, isRepeated, optionsOf, type CommandName } from '../commands.js';
import {
  GLOBAL_OPTIONS,
  isRepeatable,
  OPTION_NAMES,
  OPTIONS,
  placeholder,
  takesWord,
  type OptionName,
} from '../options.js';

/** What completes a value: these words, or a search of the shell; undefined for free text. */
type Kind = 'file' | 'directory' | 'reference' | 'platforms' | readonly string[] | undefined;

/** How references to directories and archives begin; registries cannot be completed. */
export const LOCAL_SCHEMES = [
  'oci-layout://',
  'ocidir://',
  'oci:',
  'oci-archive:',
  'docker-archive:',
];

/** What completes a command line after some words that name a command or a group. */
export interface Place {
  /** `push`, `push from-spec`; empty at the start. */
  readonly words: string;
  /** Words that may come next: commands. */
  readonly next: readonly { readonly word: string; readonly describe: string }[];
  readonly options: readonly OptionName[];
  readonly arguments: readonly Kind[];
  /** Whether the last argument is repeatable. */
  readonly repeats: boolean;
}

/** Kinds of the placeholders in the help. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['FILE', 'file'],
  // A file or a directory: shells offer both for a file.
  ['PATH', 'file'],
  ['DIR', 'directory'],
  ['REF', 'reference'],
  ['REPOSITORY', 'reference'],
  ['SOURCE', 'reference'],
  ['TARGET', 'reference'],
  ['P', 'platforms'],
  ['COMMAND', [...new Set(COMMAND_NAMES.map((name) => name.split(' ')[0]!))]],
  ['KIND', ['sbom', 'provenance']],
  ['OS', [...OPERATING_SYSTEMS]],
  ['ARCH', [...ARCHITECTURES]],
]);

const LINUX =
  'amd64 amd64/v2 amd64/v3 amd64/v4 386 arm64 arm64/v8 arm/v5 arm/v6 arm/v7 arm/v8 loong64 mips mipsle mips64 ' +
  'mips64le ppc64le riscv64 s390x';

const OTHERS =
  'windows/amd64 windows/arm64 windows/386 freebsd/amd64 freebsd/arm64 darwin/amd64 darwin/arm64 wasip1/wasm';

/** The platforms that are offered, in their normalized form: those that images are built for. */
export const COMMON_PLATFORMS: readonly string[] = [
  ...LINUX.split(' ').map((platform) => `linux/${platform}`),
  ...OTHERS.split(' '),
];

function kindOf(name: string): Kind {
  const bare = name.replaceAll(/^\[|,?\.\.\.\]?$/g, '');
  return bare.includes('|') ? bare.split('|') : KINDS.get(bare);
}

/** All places, groups before commands. */
export function places(): Place[] {
  const groups = new Set([
    '',
    ...COMMAND_NAMES.map((name) => wordsOf(name).slice(0, -1).join(' ')),
  ]);
  return [...[...groups].map(groupPlace), ...COMMAND_NAMES.map(commandPlace)];
}

function commandPlace(name: CommandName): Place {
  const placeholders = Object.values(commandOf(name).positionals);
  return {
    words: name,
    next: [],
    options: optionsOf(name),
    arguments: placeholders.map(kindOf),
    repeats: isRepeated(placeholders.at(-1)),
  };
}

/**
 * A group has the options of all its commands: they may be given before the last word of a command.
 */
function groupPlace(words: string): Place {
  const depth = words === '' ? 0 : words.split(' ').length;
  const inside = COMMAND_NAMES.filter((name) => wordsOf(name).slice(0, depth).join(' ') === words);
  const next = [...new Set(inside.map((name) => wordsOf(name)[depth]!))].map((word) => {
    const led = inside.filter((name) => wordsOf(name)[depth] === word);
    const only = led.find((name) => wordsOf(name).length === depth + 1);
    const describe =
      only === undefined
        ? led.map((name) => wordsOf(name).at(-1)).join(', ')
        : commandOf(only).describe;
    return { word, describe };
  });
  const options = depth === 0 ? [] : inside.flatMap((name) => commandOf(name).options);
  return {
    words,
    next,
    options: [...new Set([...options, ...GLOBAL_OPTIONS])],
    arguments: [],
    repeats: false,
  };
}

function wordsOf(name: CommandName): string[] {
  return name.split(' ');
}

/** An option as a script needs it. */
export interface Option {
  readonly name: OptionName;
  readonly letter: string | undefined;
  readonly describe: string;
  /** Whether the next word is its value, unless the value follows a `=`. */
  readonly takesValue: boolean;
  readonly isRepeatable: boolean;
  readonly kind: Kind;
}

export function allOptions(): Option[] {
  return OPTION_NAMES.map((name) => {
    const option = OPTIONS[name];
    return {
      name,
      letter: option.alias,
      describe: option.describe,
      takesValue: takesWord(option),
      isRepeatable: isRepeatable(option),
      kind: kindOf(placeholder(option) ?? ''),
    };
  });
}

/** A kind as one word of a script: `file`, or `a|b|c`. */
export function kindWord(kind: Kind): string {
  return kind === undefined ? 'none' : typeof kind === 'string' ? kind : kind.join('|');
}
