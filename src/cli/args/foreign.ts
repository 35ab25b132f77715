import type { CommandName } from './commands.js';
import type { OptionName } from './options.js';

/**
 * Commands of other tools (docker, buildx, podman, skopeo, crane, regctl, oras), by the words that
 * users type here, with this program's line for the same thing. The longest match wins.
 */
export const foreignLines = (): Readonly<Record<string, string>> => ({
  // docker manifest, podman manifest
  'manifest create': 'create --target INDEX IMAGE...',
  'manifest annotate': 'annotate INDEX --platform P --variant V',
  'manifest push': 'create --target INDEX IMAGE...',
  'manifest inspect': 'inspect --format docker REF',
  'manifest add': 'add INDEX IMAGE...',
  'manifest remove': 'remove INDEX --digest DIGEST',
  'manifest rm': 'untag REF...',
  'manifest exists': 'digest REF',
  // docker buildx imagetools
  'imagetools create': 'create -t TARGET SOURCE...',
  'imagetools inspect': 'inspect --format table REF',
  imagetools: 'create -t TARGET SOURCE..., or inspect REF',
  // skopeo
  'list-tags': 'tags REPOSITORY',
  'standalone-verify': 'verify REF',
  sync: 'copy --referrers SOURCE TARGET',
  // crane
  'index append': 'create --target INDEX IMAGE...',
  'index filter': 'copy --platform P,... SOURCE TARGET',
  'index list': 'digest --all REF',
  append: 'create --target INDEX IMAGE...',
  catalog: 'tags REPOSITORY',
  config: 'inspect --config --platform P REF',
  cp: 'copy SOURCE TARGET',
  ls: 'tags REPOSITORY',
  manifest: 'inspect --format raw REF',
  mutate: 'annotate INDEX --annotation KEY=VALUE',
  pull: 'copy REF oci-layout://DIR:TAG',
  tag: 'copy REF REF --tags TAG',
  validate: 'verify --deep REF',
  // regctl
  'image check-base': 'diff REF REF',
  'image config': 'inspect --config --platform P REF',
  'image copy': 'copy SOURCE TARGET',
  'image digest': 'digest REF',
  'image inspect': 'inspect --config --platform P REF',
  'image manifest': 'inspect --format raw REF',
  'image export': 'copy REF oci-archive://FILE:TAG',
  'image import': 'copy oci-archive://FILE:TAG REF',
  'index add': 'add INDEX IMAGE...',
  'index create': 'create --target INDEX IMAGE...',
  'index delete': 'remove INDEX --digest DIGEST',
  'manifest diff': 'diff REF REF',
  'manifest get': 'inspect --format raw REF',
  'manifest head': 'digest REF',
  'artifact list': 'inspect --format table --referrers REF',
  'manifest delete': 'untag REF...',
  'manifest digest': 'digest REF',
  'tag delete': 'untag REF...',
  'tag rm': 'untag REF...',
  'tag ls': 'tags REPOSITORY',
  'tag list': 'tags REPOSITORY',
  // oras
  'manifest fetch': 'inspect --format raw REF',
  'manifest fetch-config': 'inspect --config --platform P REF',
  'manifest index create': 'create --target INDEX IMAGE...',
  'manifest index update': 'add INDEX IMAGE...',
  'repo tags': 'tags REPOSITORY',
  discover: 'inspect --format table --referrers REF',
  resolve: 'digest REF',
  // words for the same elsewhere
  delete: 'untag REF...',
  list: 'tags REPOSITORY',
  promote: 'copy SOURCE TARGET',
  rm: 'untag REF...',
  show: 'inspect REF',
});

const TO_PUBLISHED = 'to add to a published index, use "manifest-tool add INDEX IMAGE..."';
const DELETES_TAGS =
  'it deletes tags, but no manifests; "manifest-tool remove INDEX --platform P" removes an entry';

/** What is different here, for commands whose line alone could mislead. */
const NOTES: Readonly<Record<string, string>> = {
  'manifest create': 'it publishes at once',
  'manifest push': 'it publishes at once; there is no separate push',
  'index append': TO_PUBLISHED,
  append: TO_PUBLISHED,
  'manifest delete': DELETES_TAGS,
  'manifest rm': DELETES_TAGS,
  delete: DELETES_TAGS,
  rm: DELETES_TAGS,
};

/** Hints for commands that this program leaves to docker. */
const SENTENCES: Readonly<Record<string, string>> = {
  'auth login': 'log in with "docker login HOST", or pass --username and --password-stdin',
  login: 'log in with "docker login HOST", or pass --username and --password-stdin',
  logout: 'log out with "docker logout HOST"',
};

/** Names of tools, typed before their own commands. */
const PROGRAMS = new Set([
  'docker',
  'buildx',
  'podman',
  'buildah',
  'skopeo',
  'crane',
  'regctl',
  'oras',
]);

/**
 * The hint for a command line of another tool: this program's line for the same thing. Undefined
 * for words of no known tool.
 */
export function foreignCommand(words: readonly string[]): string | undefined {
  const start = words.findIndex((word) => !PROGRAMS.has(word));
  if (start === -1) return undefined;
  const typed = words.slice(start);
  const table = foreignLines();
  for (let length = Math.min(typed.length, 3); length > 0; length -= 1) {
    const name = typed.slice(0, length).join(' ');
    if (Object.hasOwn(SENTENCES, name)) return SENTENCES[name];
    if (!Object.hasOwn(table, name)) continue;
    const note = NOTES[name];
    return `use "manifest-tool ${table[name]!}"${note === undefined ? '' : `; ${note}`}`;
  }
  return undefined;
}

/** Options of other tools, with what to do instead. */
const OPTIONS = (): Readonly<Record<string, string>> => {
  const all = IS_WHOLE;
  const http =
    'pass --plain-http for a registry without TLS, --insecure to skip certificate checks';
  const credentials = 'pass --username NAME and --password-stdin, or run "docker login"';
  const image = 'pass the image as an argument';
  const platform = 'select a platform with --platform os/arch[/variant]';
  return {
    amend:
      'omit it: create replaces the index; to add an image, use "manifest-tool add INDEX IMAGE"',
    append: 'to keep the existing entries, use "manifest-tool add INDEX IMAGE..."',
    builder: 'omit it: no builder is needed',
    push: 'omit it: the index is published unless --dry-run is given',
    iidfile: 'pass --digestfile FILE to write the digest to a file',
    m: image,
    manifest: image,
    purge: 'omit it: there are no local lists to purge',
    'prefer-index': 'omit it: create always publishes an index',
    'allow-insecure-registry': http,
    'tls-verify': http,
    'src-tls-verify': http,
    'dest-tls-verify': http,
    'insecure-policy': 'omit it: there are no signature policies',
    creds: credentials,
    'src-creds': credentials,
    'dest-creds': credentials,
    'registry-config': 'pass --docker-cfg FILE',
    'src-authfile': 'pass --authfile FILE: it is used for all registries',
    'dest-authfile': 'pass --authfile FILE: it is used for all registries',
    'multi-arch': all,
    recursive: 'pass --referrers to include signatures and other referrers',
    'include-external': all,
    'digest-tags': 'pass --referrers: it includes cosign tags',
    'preserve-digests': 'omit it: copy never changes a digest unless --platform is given',
    'override-os': platform,
    'override-arch': platform,
    'override-variant': platform,
    ref: image,
    'full-ref': 'pass --full to print repository@digest',
    verbose: 'pass --debug to show each request',
    output: 'redirect standard output, or pass --digestfile or --metadata-file',
  };
};

/** The hint for an option of another tool; `name` is without dashes. */
export function foreignOption(name: string): string | undefined {
  const table = OPTIONS();
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const WITH_ANNOTATE =
  'platforms are read from the images; to correct one, use "manifest-tool annotate INDEX --digest DIGEST" with --os, --arch or --variant';
const IS_WHOLE = 'omit it: all platforms are copied unless --platform is given';

/**
 * The hint for an option of another tool that this program has for another command: the same option
 * of docker, podman and skopeo is about something else.
 */
const MISPLACED: Partial<Record<CommandName, Partial<Record<OptionName, string>>>> = {
  add: { os: WITH_ANNOTATE, arch: WITH_ANNOTATE, variant: WITH_ANNOTATE },
  copy: { all: IS_WHOLE },
  create: { os: WITH_ANNOTATE, arch: WITH_ANNOTATE, variant: WITH_ANNOTATE },
};

/** The hint for an option that `command` does not have, though others do. */
export function misplacedOption(command: CommandName, name: OptionName): string | undefined {
  return MISPLACED[command]?.[name];
}
