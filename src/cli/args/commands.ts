import {
  GLOBAL_OPTIONS,
  OPTIONS,
  placeholder,
  type GlobalOptionName,
  type OptionName,
} from './options.js';
import type { Options, RequiredOptions } from './values.js';

/** Sections of the program's help, in their order. */
export const COMMAND_GROUPS = ['Inspect', 'Publish', 'Edit', 'Check', 'Other'] as const;
export type CommandGroup = (typeof COMMAND_GROUPS)[number];

/** Definition of a command, for the parser, the help, the manual and the completion. */
export interface CommandDefinition<
  Positionals extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  Own extends OptionName = OptionName,
  Required extends OptionName = OptionName,
> {
  /** Section of the program's help. */
  readonly group: CommandGroup;
  /** One line of the help. */
  readonly describe: string;
  /**
   * Names and placeholders of the arguments, in their order. The number of arguments is exact,
   * unless the last placeholder is repeated: `FILE...` is one or more, `[FILE...]` none or more.
   */
  readonly positionals: Positionals;
  /** The options that it has beside the global ones. */
  readonly options: readonly Own[];
  readonly required: readonly Required[];
  /** Help of options that mean something more precise here than in general. */
  readonly texts: Partial<Readonly<Record<OptionName, string>>>;
  /** Command lines with `$0` for the program, and what each does. */
  readonly examples: readonly (readonly [commandLine: string, describe: string])[];
}

/** Infers the types of a command's arguments from its definition. */
function defineCommand<
  const Positionals extends Readonly<Record<string, string>>,
  const Own extends OptionName,
  const Required extends Own = never,
>(
  definition: Omit<CommandDefinition<Positionals, Own, Required>, 'required' | 'texts'> & {
    readonly required?: readonly Required[];
    readonly texts?: Partial<Readonly<Record<OptionName, string>>>;
  },
): CommandDefinition<Positionals, Own, Required> {
  return { required: [], texts: {}, ...definition };
}

/** Options of the commands that edit an index in place. */
const EDITING = [
  'expect',
  'wait',
  'verify',
  'dry-run',
  'json',
  'digestfile',
  'metadata-file',
  'dotenv',
  'subjects',
] as const;
/** Options of the other commands that publish. */
const PUBLISHING = ['tag', 'no-clobber', ...EDITING] as const;
/** Options that add sources to those that are named. */
const SOURCES = ['digests', 'file'] as const;
/** Options of the commands that make an index. */
const INDEX = [
  'require',
  'annotation',
  'artifact-type',
  'attestations',
  'referrers',
  'strict',
  'untag-sources',
  ...PUBLISHING,
] as const;

/**
 * All commands by the words that name them; the first word alone (`push`) is a group. What a
 * command does is loaded when it runs (cli/main): this table is read at every start.
 */
export const COMMANDS = {
  inspect: defineCommand({
    group: 'Inspect',
    describe: 'show an image or index',
    positionals: { reference: 'REF' },
    options: ['format', 'platform', 'config', 'referrers', 'raw', 'expand-config'],
    texts: { platform: 'select the entry for this platform' },
    examples: [
      ['$0 inspect traefik', 'an image on Docker Hub'],
      [
        '$0 inspect --format table oci-layout://build:latest',
        'an OCI layout, as a table with sizes',
      ],
      ['$0 inspect --platform linux/arm64 --config traefik', 'the config of one platform'],
      ['$0 inspect --raw --expand-config localhost:5000/app:1.0', 'the JSON of manifest-tool v2'],
    ],
  }),
  query: defineCommand({
    group: 'Inspect',
    describe: 'show whether it is an index, and its platforms',
    positionals: { reference: 'REF' },
    options: ['json'],
    examples: [
      ['$0 query traefik', 'in the format of mquery'],
      ['$0 query --json oci-layout://build:latest', 'as JSON'],
    ],
  }),
  digest: defineCommand({
    group: 'Inspect',
    describe: 'print the digest of an image or index',
    positionals: { reference: 'REF' },
    options: ['platform', 'all', 'full', 'json'],
    texts: { platform: 'select the entry for this platform' },
    examples: [
      ['$0 digest example.com/app:1.0', 'the digest of what the tag points to'],
      ['$0 digest --platform linux/arm64 --full example.com/app:1.0', 'one platform, to be pinned'],
      ['$0 digest --all oci-layout://build:latest', 'one line for each entry'],
    ],
  }),
  diff: defineCommand({
    group: 'Inspect',
    describe: 'compare two images or indexes',
    positionals: { from: 'REF', to: 'REF' },
    options: ['config', 'json'],
    texts: { config: 'compare the image configs as well' },
    examples: [
      ['$0 diff example.com/app:1.0-rc1 example.com/app:1.0', 'exit with 6 if they differ'],
      [
        '$0 diff --config --json example.com/app:1.0-rc1 example.com/app:1.0',
        'include configs, print JSON',
      ],
    ],
  }),
  verify: defineCommand({
    group: 'Check',
    describe: 'verify that an image or index is complete',
    positionals: { reference: 'REF' },
    options: [
      'platforms',
      'at-least',
      'same-as',
      'same-label',
      'require-attestations',
      'deep',
      'executables',
      'json',
    ],
    texts: { platforms: 'require exactly these platforms' },
    examples: [
      [
        '$0 verify --platforms linux/amd64,linux/arm64,linux/386 example.com/app:1.0',
        'require exactly these platforms',
      ],
      [
        '$0 verify --at-least linux/amd64,linux/arm64 --same-as example.com/app:1.0-rc1 example.com/app:1.0',
        'require at least these, with the digests of another tag',
      ],
      ['$0 verify --deep --json oci-layout://build:latest', 'read every blob, print JSON'],
      ['$0 verify --executables example.com/app:1.0', 'find programs for the wrong architecture'],
    ],
  }),
  'push from-args': defineCommand({
    group: 'Publish',
    describe: 'publish an index of images named by a template',
    positionals: {},
    options: [
      'type',
      'platforms',
      'template',
      'target',
      'tags',
      'annotations',
      'ignore-missing',
      ...INDEX,
    ],
    required: ['platforms', 'template', 'target'],
    texts: { type: 'type of the index [default: docker]' },
    examples: [
      [
        '$0 push from-args --platforms linux/amd64,linux/arm64 --template example.com/app:OS-ARCH --target example.com/app:1.0',
        'an index of two images',
      ],
      [
        '$0 push --type oci from-args --platforms linux/amd64,linux/arm64 --template example.com/ARCH/app:1.0 --target example.com/app:1.0 --tags 1,latest',
        'an OCI index of images in other repositories',
      ],
    ],
  }),
  'push from-spec': defineCommand({
    group: 'Publish',
    describe: 'publish the indexes described in YAML files',
    positionals: { files: 'FILE...' },
    options: ['type', 'ignore-missing', 'env', ...INDEX],
    texts: { type: 'type of the index, before that of the spec' },
    examples: [
      ['$0 push --type oci from-spec app.yaml', 'an OCI index'],
      ['$0 push from-spec a.yaml b.yaml -', 'several specs, the last from standard input'],
      [
        'VERSION=1.0 $0 push from-spec --env --dry-run release.yaml',
        'preview a spec that contains ${VERSION}',
      ],
    ],
  }),
  create: defineCommand({
    group: 'Publish',
    describe: 'publish an index of the given images',
    positionals: { sources: '[SOURCE...]' },
    options: [
      'type',
      'target',
      'tags',
      'annotations',
      ...SOURCES,
      'platform',
      'ignore-missing',
      ...INDEX,
    ],
    texts: {
      type: 'type of the index [default: auto]',
      tag: 'target, or an additional tag or target',
      platform: 'use only these platforms of source indexes',
    },
    examples: [
      [
        '$0 create --target example.com/app:1.0 example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'platforms are read from the images',
      ],
      [
        '$0 create -t example.com/app:1.0 -t example.com/app:latest example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'the first -t is the target',
      ],
      [
        '$0 create -t example.com/app:1.0 -t latest --digests digests --require linux/amd64,linux/arm64',
        'images pushed by digest, listed in a directory',
      ],
      [
        '$0 create --dry-run --target example.com/app:1.0 --tags latest example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'preview the index and the tags that would move',
      ],
    ],
  }),
  add: defineCommand({
    group: 'Edit',
    describe: 'add images to a published index',
    positionals: { reference: 'REF', sources: '[SOURCE...]' },
    options: [
      ...SOURCES,
      'platform',
      'ignore-missing',
      'require',
      'attestations',
      'referrers',
      'strict',
      'untag-sources',
      ...EDITING,
    ],
    texts: { platform: 'use only these platforms of source indexes' },
    examples: [
      ['$0 add example.com/app:1.0 example.com/app:1.0-riscv64', 'add a platform'],
      [
        '$0 add --verify example.com/app:1.0 example.com/app:1.1-arm64',
        'replace the image of a platform, and verify',
      ],
    ],
  }),
  remove: defineCommand({
    group: 'Edit',
    describe: 'remove entries from a published index',
    positionals: { reference: 'REF' },
    options: ['platform', 'digest', ...EDITING],
    texts: { platform: 'select the entries for this platform' },
    examples: [
      [
        '$0 remove example.com/app:1.0 --platform linux/386',
        'remove an image and its attestations',
      ],
      [
        '$0 remove example.com/app:1.0 --platform linux/386 --platform linux/arm64 --dry-run',
        'preview what would be removed',
      ],
    ],
  }),
  annotate: defineCommand({
    group: 'Edit',
    describe: 'change platforms or annotations of an index',
    positionals: { reference: 'REF' },
    options: [
      'platform',
      'digest',
      'annotation',
      'os',
      'arch',
      'variant',
      'os-version',
      'os-features',
      ...EDITING,
    ],
    texts: { platform: 'select the entries for this platform' },
    examples: [
      [
        '$0 annotate example.com/app:1.0 --platform linux/arm64 --variant v8',
        'set the variant of an entry',
      ],
      [
        '$0 annotate example.com/app:1.0 --annotation org.opencontainers.image.version=1.0',
        'annotate the index',
      ],
    ],
  }),
  copy: defineCommand({
    group: 'Publish',
    describe: 'copy an image or index to other repositories',
    positionals: { source: 'SOURCE', targets: 'TARGET...' },
    options: ['all-tags', 'match', 'platform', 'attestations', 'tags', 'referrers', ...PUBLISHING],
    texts: { platform: 'copy only these platforms' },
    examples: [
      [
        '$0 copy --platform linux/amd64,linux/arm64 example.com/app:1.0 example.com/small/app:1.0',
        'copy some platforms; the digest changes',
      ],
      [
        '$0 copy example.com/app:1.0-rc1 example.com/app:1.0 --tags latest',
        'promote a release candidate',
      ],
      [
        '$0 copy example.com/staging/app:1.0,1,latest example.com/app',
        'copy several tags under their own names',
      ],
      [
        "$0 copy --all-tags --match '1.*' example.com/staging/app example.com/app",
        'copy all tags that match a pattern',
      ],
      [
        '$0 copy --referrers example.com/app:1.0 oci-layout://app:1.0',
        'save to an OCI layout, with signatures',
      ],
    ],
  }),
  tags: defineCommand({
    group: 'Inspect',
    describe: 'list the tags of a repository',
    positionals: { repository: 'REPOSITORY' },
    options: ['match', 'json'],
    examples: [
      ['$0 tags example.com/app', 'all tags, one per line'],
      ["$0 tags --match '1.*' --json example.com/app", 'matching tags, as JSON'],
      ['$0 tags oci-layout://build', 'the tags of an OCI layout'],
    ],
  }),
  untag: defineCommand({
    group: 'Edit',
    describe: 'delete tags, but no manifests',
    positionals: { references: 'REF...' },
    options: ['dry-run', 'json'],
    examples: [
      [
        '$0 untag example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'the temporary tags of a release',
      ],
      ['$0 untag --dry-run example.com/app:1.0-rc1', 'show what would be deleted'],
      ['$0 untag oci-layout://build:1.0-rc1', 'the name of an image in a directory'],
    ],
  }),
  'spec check': defineCommand({
    group: 'Check',
    describe: 'check YAML files without a registry',
    positionals: { files: 'FILE...' },
    options: ['type', 'env', 'strict', 'json'],
    texts: { strict: 'treat warnings as errors' },
    examples: [
      ['$0 spec check --type oci app.yaml', 'check for push --type oci'],
      ['$0 spec check --strict a.yaml b.yaml', 'check several, treat warnings as errors'],
    ],
  }),
  'spec from': defineCommand({
    group: 'Inspect',
    describe: 'print the spec of a published index',
    positionals: { reference: 'REF' },
    options: [],
    examples: [
      ['$0 spec from example.com/app:1.0 > app.yaml', 'save the spec of an index'],
      ['$0 spec from oci-layout://build:latest', 'the spec of an index in an OCI layout'],
    ],
  }),
  'check-registry': defineCommand({
    group: 'Check',
    describe: 'test which features a registry supports',
    positionals: { repository: 'HOST/REPOSITORY' },
    options: ['tags-only', 'limits', 'json'],
    examples: [
      [
        '$0 check-registry example.com/team/app',
        'test in two temporary repositories beside this one',
      ],
      [
        '$0 check-registry --tags-only --limits --json example.com/team/app',
        'test in this repository, include the size limit',
      ],
    ],
  }),
  completion: defineCommand({
    group: 'Other',
    describe: 'print a shell completion script',
    positionals: { shell: 'bash|zsh|fish' },
    options: [],
    examples: [
      ['source <($0 completion bash)', 'in ~/.bashrc'],
      ['source <($0 completion zsh)', 'in ~/.zshrc, after compinit'],
      ['$0 completion fish > ~/.config/fish/completions/manifest-tool.fish', 'once'],
    ],
  }),
  help: defineCommand({
    group: 'Other',
    describe: 'show help for a command',
    positionals: { words: '[COMMAND...]' },
    options: ['all'],
    texts: { all: 'show the options of every command as well' },
    examples: [
      ['$0 help push from-args', 'usage, examples and options'],
      ['$0 help --all', 'commands and global options'],
    ],
  }),
  version: defineCommand({
    group: 'Other',
    describe: 'print the version',
    positionals: {},
    options: [],
    examples: [['$0 version', 'version and commit']],
  }),
};

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** The definition of a command, without the types of its arguments. */
export function commandOf(name: CommandName): CommandDefinition {
  return COMMANDS[name];
}

/** Whether a placeholder is for several arguments. */
export function isRepeated(positional: string | undefined): boolean {
  return positional !== undefined && /\.\.\.\]?$/.test(positional);
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

/** What follows the name of an option: nothing, ` VALUE`, `[=HOST]` or `[=CHECK,...]`. */
export function valueTerm(name: OptionName): string {
  const option = OPTIONS[name];
  const value = placeholder(option);
  if (option.kind === 'checks') return '[=CHECK,...]';
  return option.kind === 'hosts' ? '[=HOST]' : value === undefined ? '' : ` ${value}`;
}

/** Help of an option, as far as the command is known. */
export function optionText(name: OptionName, command: CommandName | undefined): string {
  const own = command === undefined ? undefined : commandOf(command).texts[name];
  return own ?? OPTIONS[name].describe;
}

/** The options that a command has, its own first. */
export function optionsOf(name: CommandName): readonly OptionName[] {
  return [...commandOf(name).options, ...GLOBAL_OPTIONS];
}

type ArgumentsOf<D> =
  D extends CommandDefinition<infer Positionals, infer Own, infer Required>
    ? Options<Exclude<Own | GlobalOptionName, Required>> &
        RequiredOptions<Required> & {
          readonly [P in keyof Positionals]: Positionals[P] extends `[${string}...]`
            ? readonly string[]
            : Positionals[P] extends `${string}...`
              ? readonly [string, ...string[]]
              : string;
        }
    : never;

/**
 * The arguments of a command: values of its options and of the global ones, and its positional
 * arguments.
 */
export type Arguments<N extends CommandName> = ArgumentsOf<(typeof COMMANDS)[N]>;
