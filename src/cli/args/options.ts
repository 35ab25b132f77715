/** Number and form of the values that an option takes. */
export type OptionDefinition = {
  /** One line of the help. */
  readonly describe: string;
  /** One letter, typed with one dash. */
  readonly alias?: string;
  /** Section of the help; without one, that of the command's own options. */
  readonly group?: string;
} & (
  | { readonly kind: 'switch' }
  /** No value, or a host after `=`; repeatable. */
  | { readonly kind: 'hosts' }
  /** No value, or some of `values` after `=`, separated by commas; repeatable. */
  | { readonly kind: 'checks'; readonly values: readonly string[] }
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** A whole number from `min` to 999. */
  | { readonly kind: 'integer'; readonly value: string; readonly min: number }
  /**
   * `string` and `duration` have one value. `list` is repeatable and splits each value at commas;
   * `strings` is repeatable and keeps each value as typed. `value` is the placeholder in the help.
   */
  | { readonly kind: 'string' | 'duration' | 'list' | 'strings'; readonly value: string }
);

const AUTH = 'Authentication:';
const TRANSPORT = 'Transport:';
const OUTPUT = 'Output:';

/** Options of every command. */
const GLOBAL = {
  username: {
    kind: 'string',
    alias: 'u',
    value: 'NAME',
    group: AUTH,
    describe: 'user name for the registry of the first target',
  },
  password: {
    kind: 'string',
    alias: 'p',
    value: 'TEXT',
    group: AUTH,
    describe: 'password of that user (other users of this machine can see it)',
  },
  'password-stdin': {
    kind: 'switch',
    group: AUTH,
    describe: 'read the password from standard input',
  },
  authfile: {
    kind: 'string',
    value: 'FILE',
    group: AUTH,
    describe:
      'file of credentials as podman writes it, and no other [default: $REGISTRY_AUTH_FILE]',
  },
  'docker-cfg': {
    kind: 'string',
    value: 'PATH',
    group: AUTH,
    describe:
      'directory of a docker config.json, or such a file [default: $DOCKER_CONFIG or ~/.docker]',
  },
  'plain-http': {
    kind: 'hosts',
    group: TRANSPORT,
    describe: 'speak plain HTTP to the registry, or with =HOST to that host only',
  },
  insecure: {
    kind: 'hosts',
    group: TRANSPORT,
    describe: 'do not check the certificate of the registry, or with =HOST of that host only',
  },
  'ca-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'certificates of authorities to trust as well',
  },
  'cert-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: "the client's certificate for registries",
  },
  'key-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'the private key of --cert-file',
  },
  'cert-dir': {
    kind: 'string',
    value: 'DIR',
    group: TRANSPORT,
    describe: 'directory of *.crt, *.cert and *.key, in place of certs.d/HOST',
  },
  concurrency: {
    kind: 'integer',
    alias: 'j',
    value: 'N',
    min: 1,
    group: TRANSPORT,
    describe: 'how many requests to one registry are on their way at a time [default: 40]',
  },
  retry: {
    kind: 'integer',
    value: 'N',
    min: 0,
    group: TRANSPORT,
    describe: 'how often a request is sent again after a failure that may pass [default: 4]',
  },
  'retry-delay': {
    kind: 'duration',
    value: 'TIME',
    group: TRANSPORT,
    describe: 'the first wait before that, which doubles each time: 500ms, 2s [default: 500ms]',
  },
  timeout: {
    kind: 'duration',
    value: 'TIME',
    group: TRANSPORT,
    describe: 'how long an answer, or more of it, may take to come: 30s, 2m [default: 60s]',
  },
  quiet: {
    kind: 'switch',
    alias: 'q',
    group: OUTPUT,
    describe: 'show nothing but warnings, errors and the result',
  },
  progress: {
    kind: 'choice',
    values: ['auto', 'plain', 'json', 'none'],
    group: OUTPUT,
    describe:
      'show what is being done: on a terminal as a live line, in lines, or as JSON events [default: auto]',
  },
  'no-color': { kind: 'switch', group: OUTPUT, describe: 'show no colours [default: $NO_COLOR]' },
  debug: {
    kind: 'switch',
    alias: 'D',
    group: OUTPUT,
    describe: 'show each request, and the causes of an error',
  },
  help: { kind: 'switch', alias: 'h', group: OUTPUT, describe: 'show this help' },
  version: { kind: 'switch', alias: 'v', group: OUTPUT, describe: 'show the version' },
} as const satisfies Record<string, OptionDefinition>;

/** Options of single commands. */
const LOCAL = {
  raw: {
    kind: 'switch',
    describe: 'show JSON: the manifest, or the list with the manifests of its images',
  },
  'expand-config': {
    kind: 'switch',
    describe: 'with --raw, show the configuration of the image in place of its descriptor',
  },
  format: {
    kind: 'choice',
    values: ['json', 'table', 'docker', 'docker-verbose', 'raw'],
    describe:
      'json: all that is known; table: a line a platform; docker, docker-verbose: what docker manifest inspect [-v] prints; raw: the bytes of the registry',
  },
  config: {
    kind: 'switch',
    describe: 'show the configuration of the image; of diff, what changed in it',
  },
  type: {
    kind: 'choice',
    values: ['docker', 'oci', 'auto'],
    describe:
      'publish a Docker manifest list or an OCI index; auto takes the kind of the images [default: docker, of create auto]',
  },
  platforms: {
    kind: 'list',
    value: 'P,...',
    describe: 'exactly these platforms, as os/arch[/variant][:osversion]',
  },
  template: {
    kind: 'string',
    value: 'REF',
    describe:
      'reference of the images; OS, ARCH and VARIANT in it stand for those of each platform',
  },
  target: { kind: 'string', value: 'REF', describe: 'reference under which the list is published' },
  tags: { kind: 'list', value: 'TAG,...', describe: 'further tags for the list' },
  tag: {
    kind: 'strings',
    alias: 't',
    value: 'REF|TAG',
    describe:
      'another tag, or another target in any repository, registry or layout; of create without --target, the first is the target',
  },
  annotations: {
    kind: 'list',
    value: 'KEY=VALUE,...',
    describe: 'annotations of the list (with --type oci)',
  },
  annotation: {
    kind: 'strings',
    value: 'KEY=VALUE',
    describe:
      'set an annotation; KEY- removes one. push and create accept levels before it: index, manifest-descriptor[PLATFORM], or both with a comma, then a colon',
  },
  'artifact-type': {
    kind: 'string',
    value: 'TYPE',
    describe: 'artifact type of an OCI index, as a media type',
  },
  attestations: {
    kind: 'choice',
    values: ['keep', 'drop'],
    describe: 'keep or drop attestations of sources that are indexes [default: keep]',
  },
  env: {
    kind: 'switch',
    describe: 'replace ${VAR} and ${VAR:-default} in a spec from the environment',
  },
  strict: { kind: 'switch', describe: 'make every warning an error, before anything is written' },
  wait: {
    kind: 'duration',
    value: 'TIME',
    describe: 'how long what is not found may take to appear: 30s, 5m',
  },
  verify: {
    kind: 'checks',
    values: ['deep', 'executables'],
    describe:
      'verify what is published: everything is there; deep: every blob is intact; executables: before a tag moves, programs fit their platforms',
  },
  'no-clobber': { kind: 'switch', describe: 'move no tag that exists' },
  expect: {
    kind: 'string',
    value: 'DIGEST',
    describe: 'move tags only from this digest',
  },
  'dry-run': {
    kind: 'switch',
    describe: 'show what would change, and check the right to push; write nothing',
  },
  json: { kind: 'switch', describe: 'show the result as JSON' },
  platform: { kind: 'list', value: 'P', describe: 'select the entries for this platform' },
  digest: { kind: 'list', value: 'DIGEST', describe: 'the entry with this digest' },
  os: { kind: 'string', value: 'OS', describe: 'set the os of the entry' },
  arch: { kind: 'string', value: 'ARCH', describe: 'set the architecture of the entry' },
  variant: { kind: 'string', value: 'VARIANT', describe: 'set the variant of the entry' },
  'os-version': { kind: 'string', value: 'VERSION', describe: 'set the os version of the entry' },
  'os-features': { kind: 'list', value: 'F,...', describe: 'set the os features of the entry' },
  referrers: {
    kind: 'switch',
    describe: 'include signatures, SBOMs and other referrers, and cosign tags',
  },
  all: { kind: 'switch', describe: 'print a line for each entry: platform and digest' },
  full: { kind: 'switch', describe: 'print repository@digest instead of the digest' },
  match: {
    kind: 'string',
    value: 'GLOB',
    describe: "list only tags that match, for example '1.*'",
  },
  'at-least': {
    kind: 'list',
    value: 'P,...',
    describe: 'at least these platforms',
  },
  'same-as': {
    kind: 'string',
    value: 'REF',
    describe: 'require the same platforms and digests as those of REF',
  },
  'same-label': {
    kind: 'strings',
    value: 'KEY',
    describe: 'require this label with the same value in every platform',
  },
  'require-attestations': {
    kind: 'list',
    value: 'KIND,...',
    describe: 'require attestations of each image: sbom, provenance',
  },
  deep: { kind: 'switch', describe: 'read every blob and check its digest' },
  executables: {
    kind: 'switch',
    describe: 'read the layers and compare native programs with the platforms',
  },
  'tags-only': {
    kind: 'switch',
    describe: 'make no other repositories: stay inside this one, with tags of its own',
  },
  limits: {
    kind: 'switch',
    describe: 'look for the size limit of a manifest as well (up to 8 MiB; sends much)',
  },
  digestfile: { kind: 'string', value: 'FILE', describe: 'write the digest of the list to a file' },
  'metadata-file': {
    kind: 'string',
    value: 'FILE',
    describe: 'write descriptor and repository of the list to a file, as buildx does',
  },
  dotenv: {
    kind: 'string',
    value: 'FILE',
    describe: 'append digest=, image= and a digest for each platform to a file, as KEY=VALUE',
  },
  subjects: {
    kind: 'string',
    value: 'FILE',
    describe: 'write a checksum line for the list and each image, to attest them',
  },
  digests: {
    kind: 'string',
    value: 'DIR',
    describe: "add the images of the target's repository whose digests name the files in DIR",
  },
  file: {
    kind: 'strings',
    alias: 'f',
    value: 'FILE',
    describe: 'add the sources in FILE: a reference a line, or descriptors as JSON',
  },
  require: {
    kind: 'list',
    value: 'P,...',
    describe: 'fail before a tag moves unless the index has these platforms',
  },
  'ignore-missing': {
    kind: 'switch',
    describe: 'leave out images that are not found, with a warning',
  },
} as const satisfies Record<string, OptionDefinition>;

const DEFINITIONS = { ...GLOBAL, ...LOCAL };

/** The definitions with their literal types, from which the types of values are inferred. */
export type Definitions = typeof DEFINITIONS;
export type OptionName = keyof Definitions;
export type GlobalOptionName = keyof typeof GLOBAL;

/**
 * All options by their long names; the long name is typed with two dashes, or with one as Go's flag
 * package allows.
 */
export const OPTIONS: Readonly<Record<OptionName, OptionDefinition>> = DEFINITIONS;

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[];
export const GLOBAL_OPTIONS = Object.keys(GLOBAL) as GlobalOptionName[];

/** The long name for a long name or an alias. */
export function findOption(word: string): OptionName | undefined {
  return OPTION_NAMES.find((name) => name === word || OPTIONS[name].alias === word);
}

export function isRepeatable({ kind }: OptionDefinition): boolean {
  return kind === 'list' || kind === 'strings' || kind === 'hosts' || kind === 'checks';
}

/** Whether the next word is the value. */
export function takesWord({ kind }: OptionDefinition): boolean {
  return kind !== 'switch' && kind !== 'hosts' && kind !== 'checks';
}

/**
 * Placeholder of the value in the help; undefined for an option without a value, or with an
 * optional one.
 */
export function placeholder(option: OptionDefinition): string | undefined {
  if (option.kind === 'choice') return option.values.join('|');
  return 'value' in option ? option.value : undefined;
}
