import {
  COMMAND_NAMES,
  commandOf,
  optionText,
  synopsis,
  valueTerm,
  type CommandName,
} from '../../src/cli/args/commands.js';
import { EXIT_MEANINGS } from '../../src/cli/args/help.js';
import {
  GLOBAL_OPTIONS,
  isRepeatable,
  OPTIONS,
  type OptionName,
} from '../../src/cli/args/options.js';
import { COMMAND_TEXTS } from './command-texts.js';
import { OPTION_TEXTS } from './option-texts.js';
import { ENVIRONMENT, FILES } from './surroundings.js';
import { literal, rich, type Text } from './text.js';

/** A term (`--tags`), the placeholder of its value, and its meaning. */
export interface Item {
  /** Several terms have the same meaning. */
  readonly terms: readonly { readonly word: string; readonly value: string }[];
  readonly text: Text;
}

/** A page of the manual, independent of its format. */
export interface Page {
  /** `push-from-args`; empty for the page of the program. */
  readonly slug: string;
  /** `manifest-tool push from-args` */
  readonly title: string;
  /** One line. */
  readonly describe: string;
  readonly synopsis: string;
  readonly description: readonly Text[];
  /** The commands; empty except on the page of the program. */
  readonly commands: readonly { readonly page: Page; readonly usage: string }[];
  readonly examples: readonly (readonly [command: string, describe: string])[];
  readonly options: readonly Item[];
  /** The global options by groups: `Transport`. */
  readonly everywhere: readonly { readonly group: string; readonly items: readonly Item[] }[];
  readonly exit: readonly Item[];
  readonly environment: readonly Item[];
  readonly files: readonly Item[];
  readonly seeAlso: readonly { readonly slug: string; readonly title: string }[];
  /** A page of docs/reference with details. */
  readonly more: string | undefined;
}

const PROGRAM = 'manifest-tool';
const slugOf = (words: string): string => words.replaceAll(' ', '-');

/** All pages; the program's page is the first. */
export function pages(): Page[] {
  const commands = COMMAND_NAMES.map((name) => ({
    page: commandPage(name),
    usage: synopsis(name),
  }));
  return [programPage(commands), ...commands.map(({ page }) => page)];
}

function programPage(commands: Page['commands']): Page {
  return {
    ...SURROUNDINGS,
    slug: '',
    title: PROGRAM,
    describe: 'publish, inspect, edit and verify multi-platform container images',
    synopsis: `${PROGRAM} COMMAND [options]`,
    description: [
      'Publishes multi-platform images, that is, Docker manifest lists and OCI image indexes, from single-platform images in registries, OCI image layouts and archives; inspects, edits and verifies them. It is a drop-in replacement for the Go program manifest-tool v2.',
      'REF is `[host[:port]/]path[:tag][@digest]` as docker reads it (`traefik` is `docker.io/library/traefik:latest`), `oci-layout://PATH[:tag][@digest]` for an OCI image layout, `oci-archive://FILE[:tag]` for a tar archive of one, or `docker-archive://FILE[:reference]` for an archive of `docker save`, which is read-only. The spellings of skopeo are accepted as well: `docker://REF`, `oci:PATH[:tag]`, `oci-archive:FILE[:tag]`, `docker-archive:FILE[:reference]`. A platform is `os/arch[/variant]`, with `:osversion` after it if needed, or `os(osversion+feature)/arch[/variant]` as buildx and containerd write it (quote it in a shell); aliases (`x86_64`, `aarch64`, `armhf`) are accepted.',
      'Options can be given before or after the command. Results go to standard output; progress, warnings and errors go to standard error. An error is one line, `manifest-tool: WHAT failed: WHY`, followed by a line `hint: NEXT STEP`.',
    ].map(rich),
    commands,
    examples: COMMAND_NAMES.filter((name) => /^(inspect|push|create)\b/.test(name)).map(
      (name) => commandOf(name).examples[0]!,
    ),
    options: [],
    exit: exitItems({}),
    seeAlso: commands.map(({ page }) => page),
    more: undefined,
  };
}

function commandPage(name: CommandName): Page {
  const command = commandOf(name);
  const text = COMMAND_TEXTS[name];
  return {
    ...SURROUNDINGS,
    slug: slugOf(name),
    title: `${PROGRAM} ${name}`,
    describe: command.describe,
    synopsis: `${PROGRAM} ${synopsis(name)}`,
    description: text.description.map(rich),
    commands: [],
    examples: command.examples,
    options: command.options.map((option) => optionItem(option, name)),
    exit: exitItems(text.exit ?? {}),
    seeAlso: [
      { slug: '', title: PROGRAM },
      ...text.seeAlso.map((other) => ({ slug: slugOf(other), title: `${PROGRAM} ${other}` })),
    ],
    more: text.more,
  };
}

function optionItem(name: OptionName, command: CommandName | undefined): Item {
  const option = OPTIONS[name];
  const { alias } = option;
  const describe = optionText(name, command);
  const isRequired = command !== undefined && commandOf(command).required.includes(name);
  const own = { word: `--${name}`, value: valueTerm(name) };
  return {
    terms: alias === undefined ? [own] : [{ word: `-${alias}`, value: '' }, own],
    text: [
      ...literal(`${describe}${isRequired ? ' (required)' : ''}.`),
      ...rich(isRepeatable(option) && !isSingle(name, command) ? ' Repeatable.' : ''),
      ...rich(OPTION_TEXTS[name] === undefined ? '' : ` ${OPTION_TEXTS[name]}`),
    ],
  };
}

/** Whether a command accepts only one value of an option that others accept several times. */
function isSingle(name: OptionName, command: CommandName | undefined): boolean {
  return name === 'platform' && (command === 'inspect' || command === 'digest');
}

function exitItems(own: Readonly<Record<number, string>>): Item[] {
  return EXIT_MEANINGS.map(({ code, meaning }) => item(String(code), own[code] ?? meaning));
}

function item(word: string, text: string): Item {
  const terms = word.split(', ').map((each) => ({ word: each, value: '' }));
  return { terms, text: rich(text) };
}

const GROUPS = [...new Set(GLOBAL_OPTIONS.map((name) => OPTIONS[name].group!))];

/** The part that is the same on all pages. */
const SURROUNDINGS = {
  everywhere: GROUPS.map((group) => ({
    group: group.replace(':', ''),
    items: GLOBAL_OPTIONS.filter((name) => OPTIONS[name].group === group).map((name) =>
      optionItem(name, undefined),
    ),
  })),
  environment: ENVIRONMENT.map(([name, use]) => item(name, use)),
  files: FILES.map(([name, use]) => item(name, use)),
};
