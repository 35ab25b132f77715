import { ARCHITECTURES, OPERATING_SYSTEMS } from '../../../oci/platform-names.js';
import type { CommandSpec } from '../../command.js';
import { OPTIONS, OPTIONS_EVERYWHERE, placeholder, type OptionName } from '../options.js';

/** What can stand at a place of a command line: words, or what the shell finds by itself; undefined for free text. */
type Kind = 'file' | 'directory' | 'reference' | 'platforms' | readonly string[] | undefined;

/** What there is to complete behind some words that are commands. */
export interface Place {
  /** `push`, `push from-spec`; empty at the start. */
  readonly words: string;
  /** Words that may come next: commands. */
  readonly next: readonly { readonly word: string; readonly describe: string }[];
  readonly options: readonly OptionName[];
  readonly arguments: readonly Kind[];
  /** The last argument may come again and again. */
  readonly repeats: boolean;
}

/** What the words of the help that stand for a value mean. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['FILE', 'file'],
  // Both are taken, and where files are offered directories are as well.
  ['PATH', 'file'],
  ['DIR', 'directory'],
  ['REF', 'reference'],
  ['SOURCE', 'reference'],
  ['TARGET', 'reference'],
  ['P', 'platforms'],
  ['OS', [...OPERATING_SYSTEMS]],
  ['ARCH', [...ARCHITECTURES]],
]);

function kindOf(name: string): Kind {
  const bare = name.replace(/,?\.\.\.$/, '');
  return bare.includes('|') ? bare.split('|') : KINDS.get(bare);
}

/** All places, groups before their commands. */
export function places(commands: readonly CommandSpec[]): Place[] {
  const groups = new Set(['', ...commands.map(({ path }) => path.slice(0, -1).join(' '))]);
  return [
    ...[...groups].map((words) => groupPlace(commands, words)),
    ...commands.map(commandPlace),
  ];
}

function commandPlace({ path, options, positionals }: CommandSpec): Place {
  return {
    words: path.join(' '),
    next: [],
    options: [...options, ...OPTIONS_EVERYWHERE],
    arguments: positionals.map(kindOf),
    repeats: positionals.at(-1)?.endsWith('...') === true,
  };
}

/** Options may stand before the last word of a command: in a group, those of all its commands. */
function groupPlace(commands: readonly CommandSpec[], words: string): Place {
  const depth = words === '' ? 0 : words.split(' ').length;
  const inside = commands.filter(({ path }) => path.slice(0, depth).join(' ') === words);
  const names = new Set(inside.map(({ path }) => path[depth]!));
  const next = [...names].map((word) => {
    const led = inside.filter(({ path }) => path[depth] === word);
    const only = led.find(({ path }) => path.length === depth + 1);
    const describe = only?.describe ?? led.map(({ path }) => path.at(-1)).join(', ');
    return { word, describe };
  });
  const options = depth === 0 ? [] : inside.flatMap((command) => command.options);
  return {
    words,
    next,
    options: [...new Set([...options, ...OPTIONS_EVERYWHERE])],
    arguments: [],
    repeats: false,
  };
}

/** An option with all its names, and what its value can be. */
export interface Option {
  readonly name: OptionName;
  readonly letter: string | undefined;
  readonly describe: string;
  /** Whether the next word is its value, where the value is not behind a `=`. */
  readonly takesValue: boolean;
  readonly isRepeatable: boolean;
  readonly kind: Kind;
}

export function allOptions(): Option[] {
  return (Object.keys(OPTIONS) as OptionName[]).map((name) => {
    const option = OPTIONS[name]!;
    return {
      name,
      letter: option.alias,
      describe: option.describe,
      takesValue: option.kind === 'value' || option.kind === 'list',
      isRepeatable: option.kind === 'list' || option.kind === 'host',
      kind: kindOf(placeholder(option) ?? ''),
    };
  });
}

/** A kind as one word of a script: `file`, or `a|b|c` for words. */
export function kindWord(kind: Kind): string {
  return kind === undefined ? 'none' : typeof kind === 'string' ? kind : kind.join('|');
}
