import type { CommandSpec } from '../command.js';
import type { OptionName } from './options.js';

/** Options of the commands that edit a list in place. */
const EDITING: readonly OptionName[] = [
  'expect',
  'wait',
  'verify',
  'dry-run',
  'json',
  'digestfile',
  'metadata-file',
];
/** Options of all others that publish. */
const PUBLISHING: readonly OptionName[] = ['tag', 'no-clobber', ...EDITING];

/** Options of those that make a list. */
const LISTING: readonly OptionName[] = ['annotation', 'attestations', 'strict', ...PUBLISHING];

/** All commands; the words of a path that is no command itself (`push`) are a group. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    path: ['inspect'],
    describe: 'show an image or a multi-platform image',
    positionals: ['REF'],
    options: ['format', 'platform', 'config', 'referrers', 'raw', 'expand-config'],
    required: [],
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
    load: () => import('../commands/inspect.js'),
  },
  {
    path: ['query'],
    describe: 'tell whether it is a list, and for which platforms',
    positionals: ['REF'],
    options: ['json'],
    required: [],
    examples: [
      ['$0 query traefik', 'as mquery prints it'],
      ['$0 query --json oci-layout://build:latest', 'for programs'],
    ],
    load: () => import('../commands/query.js'),
  },
  {
    path: ['verify'],
    describe: 'prove that an image or a list is whole',
    positionals: ['REF'],
    options: ['platforms', 'deep', 'json'],
    required: [],
    examples: [
      [
        '$0 verify --platforms linux/amd64,linux/arm64,linux/386 example.com/app:1.0',
        'that these platforms are there, and no others',
      ],
      ['$0 verify --deep --json oci-layout://build:latest', 'with every blob read, as JSON'],
    ],
    load: () => import('../commands/verify.js'),
  },
  {
    path: ['push', 'from-args'],
    describe: 'publish a list of the images that a template names',
    positionals: [],
    options: [
      ...([
        'type',
        'platforms',
        'template',
        'target',
        'tags',
        'annotations',
        'ignore-missing',
      ] as const),
      ...LISTING,
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
    load: () => import('../commands/push-from-args.js'),
  },
  {
    path: ['push', 'from-spec'],
    describe: 'publish the lists that YAML files describe',
    positionals: ['FILE...'],
    options: ['type', 'ignore-missing', 'env', ...LISTING],
    required: [],
    examples: [
      ['$0 push --type oci from-spec app.yaml', 'an OCI index'],
      ['$0 push from-spec a.yaml b.yaml -', 'several, and what comes on standard input'],
      [
        'VERSION=1.0 $0 push from-spec --env --dry-run release.yaml',
        'what would be published with this variable',
      ],
    ],
    load: () => import('../commands/push-from-spec.js'),
  },
  {
    path: ['create'],
    describe: 'publish a list of the images that are named',
    positionals: ['SOURCE...'],
    options: ['type', 'target', 'tags', 'annotations', 'ignore-missing', ...LISTING],
    required: ['target'],
    examples: [
      [
        '$0 create --target example.com/app:1.0 example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'their platforms come from the images',
      ],
      [
        '$0 create --dry-run --target example.com/app:1.0 --tags latest example.com/app:1.0-amd64 example.com/app:1.0-arm64',
        'what would be written, and which tags would move',
      ],
    ],
    load: () => import('../commands/create.js'),
  },
  {
    path: ['add'],
    describe: 'bring images into a published list',
    positionals: ['REF', 'SOURCE...'],
    options: ['ignore-missing', 'attestations', 'strict', ...EDITING],
    required: [],
    examples: [
      ['$0 add example.com/app:1.0 example.com/app:1.0-riscv64', 'one more platform'],
      [
        '$0 add --verify example.com/app:1.0 example.com/app:1.1-arm64',
        'a newer image in place of the one for its platform',
      ],
    ],
    load: () => import('../commands/add.js'),
  },
  {
    path: ['remove'],
    describe: 'take entries out of a published list',
    positionals: ['REF'],
    options: ['platform', 'digest', ...EDITING],
    required: [],
    examples: [
      ['$0 remove example.com/app:1.0 --platform linux/386', 'an image, and its attestations'],
      [
        '$0 remove example.com/app:1.0 --platform linux/386 --platform linux/arm64 --dry-run',
        'what would be left',
      ],
    ],
    load: () => import('../commands/remove.js'),
  },
  {
    path: ['annotate'],
    describe: 'change platforms or annotations of a published list',
    positionals: ['REF'],
    options: [
      ...(['platform', 'digest', 'annotation', 'os', 'arch', 'variant', 'os-version'] as const),
      ...(['os-features'] as const),
      ...EDITING,
    ],
    required: [],
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
    load: () => import('../commands/annotate.js'),
  },
  {
    path: ['copy'],
    describe: 'promote an image or a list with all that it needs',
    positionals: ['SOURCE', 'TARGET...'],
    options: ['tags', 'referrers', ...PUBLISHING],
    required: [],
    examples: [
      ['$0 copy example.com/app:1.0-rc1 example.com/app:1.0 --tags latest', 'to other tags'],
      [
        '$0 copy --referrers example.com/app:1.0 oci-layout://app:1.0',
        'into a directory, with its signatures',
      ],
    ],
    load: () => import('../commands/copy.js'),
  },
  {
    path: ['spec', 'check'],
    describe: 'check YAML files without asking a registry',
    positionals: ['FILE...'],
    options: ['type', 'env', 'strict', 'json'],
    required: [],
    examples: [
      ['$0 spec check --type oci app.yaml', 'as push --type oci would read it'],
      ['$0 spec check --strict a.yaml b.yaml', 'several; a warning is an error'],
    ],
    load: () => import('../commands/spec-check.js'),
  },
  {
    path: ['spec', 'from'],
    describe: 'write the spec that would publish what is there',
    positionals: ['REF'],
    options: [],
    required: [],
    examples: [
      ['$0 spec from example.com/app:1.0 > app.yaml', 'to change it, or to keep it'],
      ['$0 spec from oci-layout://build:latest', 'of a list in a directory'],
    ],
    load: () => import('../commands/spec-from.js'),
  },
  {
    path: ['check-registry'],
    describe: 'prove what a registry supports, with small images',
    positionals: ['HOST/REPOSITORY'],
    options: ['tags-only', 'limits', 'json'],
    required: [],
    examples: [
      ['$0 check-registry example.com/team/app', 'in two repositories of its own beside this one'],
      [
        '$0 check-registry --tags-only --limits --json example.com/team/app',
        'inside this one, with the size limit, as JSON',
      ],
    ],
    load: () => import('../commands/check-registry.js'),
  },
  {
    path: ['completion'],
    describe: 'print a script that completes command lines',
    positionals: ['bash|zsh|fish'],
    options: [],
    required: [],
    examples: [
      ['source <($0 completion bash)', 'in ~/.bashrc'],
      ['source <($0 completion zsh)', 'in ~/.zshrc, behind compinit'],
      ['$0 completion fish > ~/.config/fish/completions/manifest-tool.fish', 'once'],
    ],
    load: async () => (await import('../commands/completion.js')).completionOf(COMMANDS),
  },
];
