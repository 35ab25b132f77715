import { GLOBAL_OPTIONS, type GlobalOptionName, type OptionName } from './options.js';
import type { Options, RequiredOptions } from './values.js';

/** Definition of a command, for the parser, the help, the manual and the completion. */
export interface CommandDefinition<
  Positionals extends Readonly<Record<string, string>> = Readonly<Record<string, string>>,
  Own extends OptionName = OptionName,
  Required extends OptionName = OptionName,
> {
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
  /** Command lines with `$0` for the program, and what each does. */
  readonly examples: readonly (readonly [commandLine: string, describe: string])[];
}

/** Infers the types of a command's arguments from its definition. */
function defineCommand<
  const Positionals extends Readonly<Record<string, string>>,
  const Own extends OptionName,
  const Required extends Own = never,
>(
  definition: Omit<CommandDefinition<Positionals, Own, Required>, 'required'> & {
    readonly required?: readonly Required[];
  },
): CommandDefinition<Positionals, Own, Required> {
  return { required: [], ...definition };
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
  ...PUBLISHING,
] as const;

/**
 * All commands by the words that name them; the first word alone (`push`) is a group. What a
 * command does is loaded when it runs (cli/main): this table is read at every start.
 */
export const COMMANDS = {
  inspect: defineCommand({
    describe: 'show an image or a multi-platform image',
    positionals: { reference: 'REF' },
    options: ['format', 'platform', 'config', 'referrers', 'raw', 'expand-config'],
    examples: [
      ['$0 inspect traefik', 'docker.io/library/traefik:latest'],
      ['$0 inspect --format table oci-layout://build:latest', 'what is in a directory, with sizes'],
      [
        '$0 inspect --platform linux/arm64 --config traefik',
        'the configuration of one image of a list',
      ],
      [
        '$0 inspect --raw --expand-config localhost:5000/app:1.0',
        'as JSON, as manifest-tool v2 prints it',
      ],
    ],
  }),
  query: defineCommand({
    describe: 'tell whether it is a list, and for which platforms',
    positionals: { reference: 'REF' },
    options: ['json'],
    examples: [
      ['$0 query traefik', 'as mquery prints it'],
      ['$0 query --json oci-layout://build:latest', 'for programs'],
    ],
  }),
  digest: defineCommand({
    describe: 'print the digest of an image, or of each platform',
    positionals: { reference: 'REF' },
    options: ['platform', 'all', 'full', 'json'],
    examples: [
      ['$0 digest example.com/app:1.0', 'of the index, or of the image'],
      ['$0 digest --platform linux/arm64 --full example.com/app:1.0', 'to pin one platform'],
      ['$0 digest --all oci-layout://build:latest', 'one line per entry'],
    ],
  }),
  diff: defineCommand({
    describe: 'show how two images or indexes differ',
    positionals: { from: 'REF', to: 'REF' },
    options: ['config', 'json'],
    examples: [
      ['$0 diff example.com/app:1.0-rc1 example.com/app:1.0', 'exit code 6 if they differ'],
      [
        '$0 diff --config --json example.com/app:1.0-rc1 example.com/app:1.0',
        'with what changed in the configs, as JSON',
      ],
    ],
  }),
  verify: defineCommand({
    describe: 'prove that an image or a list is whole',
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
    examples: [
      [
        '$0 verify --platforms linux/amd64,linux/arm64,linux/386 example.com/app:1.0',
        'that these platforms are there, and no others',
      ],
      [
        '$0 verify --at-least linux/amd64,linux/arm64 --same-as example.com/app:1.0-rc1 example.com/app:1.0',
        'that these platforms are there, and everything is as in another image',
      ],
      ['$0 verify --deep --json oci-layout://build:latest', 'with every blob read, as JSON'],
      [
        '$0 verify --executables example.com/app:1.0',
        'that no image starts a program of another architecture',
      ],
    ],
  }),
  'push from-args': defineCommand({
    describe: 'publish a list of the images that a template names',
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
    examples: [
      [
        '$0 push from-args --platforms linux/amd64,linux/arm64/v8 --template example.com/app:OS-ARCH --target example.com/app:1.0',
        'one list of two images',
      ],
      [
        '$0 push --type oci from-args --platforms linux/amd64,linux/arm64 --template example.com/ARCH/app:1.0 --target example.com/app:1.0 --tags 1,latest --annotation org.opencontainers.image.version=1.0',
        'an OCI index of images in other repositories, with an annotation',
      ],
    ],
  }),
  'push from-spec': defineCommand({
    describe: 'publish the lists that YAML files describe',
    positionals: { files: 'FILE...' },
    options: ['type', 'ignore-missing', 'env', ...INDEX],
    examples: [
      ['$0 push --type oci from-spec app.yaml', 'an OCI index'],
      ['$0 push from-spec a.yaml b.yaml -', 'several, and what comes on standard input'],
      [
        'VERSION=1.0 $0 push from-spec --env --dry-run release.yaml',
        'what would be published with this variable',
      ],
    ],
  }),
  create: defineCommand({
    describe: 'publish a list of the images that are named',
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
    examples: [
      [
        '$0 create --target example.com/app:1.0 example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'their platforms come from the images',
      ],
      [
        '$0 create -t example.com/app:1.0 -t example.com/app:latest example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'without --target, the first -t is the target',
      ],
      [
        '$0 create -t example.com/app:1.0 -t latest --digests digests --require linux/amd64,linux/arm64',
        'build jobs pushed by digest and left one file per image, named by its digest',
      ],
      [
        '$0 create --dry-run --target example.com/app:1.0 --tags latest example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'what would be written, and which tags would move',
      ],
    ],
  }),
  add: defineCommand({
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
      ...EDITING,
    ],
    examples: [
      ['$0 add example.com/app:1.0 example.com/app:1.0-riscv64', 'one more platform'],
      [
        '$0 add --verify example.com/app:1.0 example.com/app:1.1-arm64',
        'a newer image in place of the one for its platform',
      ],
    ],
  }),
  remove: defineCommand({
    describe: 'take entries out of a published list',
    positionals: { reference: 'REF' },
    options: ['platform', 'digest', ...EDITING],
    examples: [
      ['$0 remove example.com/app:1.0 --platform linux/386', 'an image, and its attestations'],
      [
        '$0 remove example.com/app:1.0 --platform linux/386 --platform linux/arm64 --dry-run',
        'what would be removed',
      ],
    ],
  }),
  annotate: defineCommand({
    describe: 'change platforms or annotations of a published list',
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
    examples: [
      [
        '$0 annotate example.com/app:1.0 --platform linux/arm64 --variant v8',
        'the platform of an entry',
      ],
      [
        '$0 annotate example.com/app:1.0 --annotation org.opencontainers.image.version=1.0',
        'the annotations of the list',
      ],
    ],
  }),
  copy: defineCommand({
    describe: 'promote an image or a list with all that it needs',
    positionals: { source: 'SOURCE', targets: 'TARGET...' },
    options: ['platform', 'attestations', 'tags', 'referrers', ...PUBLISHING],
    examples: [
      [
        '$0 copy --platform linux/amd64,linux/arm64 example.com/app:1.0 example.com/small/app:1.0',
        'only these platforms: the digest changes',
      ],
      ['$0 copy example.com/app:1.0-rc1 example.com/app:1.0 --tags latest', 'to other tags'],
      [
        '$0 copy --referrers example.com/app:1.0 oci-layout://app:1.0',
        'into a directory, with its signatures',
      ],
    ],
  }),
  tags: defineCommand({
    describe: 'list the tags of a repository',
    positionals: { repository: 'REPOSITORY' },
    options: ['match', 'json'],
    examples: [
      ['$0 tags example.com/app', 'all of them, one per line'],
      ["$0 tags --match '1.*' --json example.com/app", 'those that match a pattern, as JSON'],
      ['$0 tags oci-layout://build', 'the names in a directory'],
    ],
  }),
  'spec check': defineCommand({
    describe: 'check YAML files without asking a registry',
    positionals: { files: 'FILE...' },
    options: ['type', 'env', 'strict', 'json'],
    examples: [
      ['$0 spec check --type oci app.yaml', 'as push --type oci would read it'],
      ['$0 spec check --strict a.yaml b.yaml', 'several; a warning is an error'],
    ],
  }),
  'spec from': defineCommand({
    describe: 'write the spec that would publish what is there',
    positionals: { reference: 'REF' },
    options: [],
    examples: [
      ['$0 spec from example.com/app:1.0 > app.yaml', 'to change it, or to keep it'],
      ['$0 spec from oci-layout://build:latest', 'of a list in a directory'],
    ],
  }),
  'check-registry': defineCommand({
    describe: 'prove what a registry supports, with small images',
    positionals: { repository: 'HOST/REPOSITORY' },
    options: ['tags-only', 'limits', 'json'],
    examples: [
      ['$0 check-registry example.com/team/app', 'in two repositories of its own beside this one'],
      [
        '$0 check-registry --tags-only --limits --json example.com/team/app',
        'inside this one, with the size limit, as JSON',
      ],
    ],
  }),
  completion: defineCommand({
    describe: 'print a script that completes command lines',
    positionals: { shell: 'bash|zsh|fish' },
    options: [],
    examples: [
      ['source <($0 completion bash)', 'in ~/.bashrc'],
      ['source <($0 completion zsh)', 'in ~/.zshrc, behind compinit'],
      ['$0 completion fish > ~/.config/fish/completions/manifest-tool.fish', 'once'],
    ],
  }),
};

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** The definition of a command, without the types of its arguments. */
export function commandOf(name: CommandName): CommandDefinition {
  return COMMANDS[name];
}

/** Whether a placeholder is for several arguments. */
export function isRepeated(placeholder: string | undefined): boolean {
  return placeholder !== undefined && /\.\.\.\]?$/.test(placeholder);
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
