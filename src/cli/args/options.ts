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
    describe: 'user name for the registry of the target',
  },
  password: {
    kind: 'string',
    alias: 'p',
    value: 'TEXT',
    group: AUTH,
    describe: 'password, visible to other users of this machine',
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
    describe: 'use only this file [default: $REGISTRY_AUTH_FILE]',
  },
  'docker-cfg': {
    kind: 'string',
    value: 'PATH',
    group: AUTH,
    describe: 'Docker config or its directory [default: ~/.docker]',
  },
  'plain-http': {
    kind: 'hosts',
    group: TRANSPORT,
    describe: 'use plain HTTP for all registries, or only HOST',
  },
  insecure: {
    kind: 'hosts',
    group: TRANSPORT,
    describe: 'skip certificate checks for all registries or HOST',
  },
  'ca-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'trust the certificate authorities in FILE as well',
  },
  'cert-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'client certificate',
  },
  'key-file': {
    kind: 'string',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'private key of the client certificate',
  },
  'cert-dir': {
    kind: 'string',
    value: 'DIR',
    group: TRANSPORT,
    describe: 'use *.crt, *.cert and *.key in DIR, not certs.d',
  },
  concurrency: {
    kind: 'integer',
    alias: 'j',
    value: 'N',
    min: 1,
    group: TRANSPORT,
    describe: 'concurrent requests per registry [default: 40]',
  },
  retry: {
    kind: 'integer',
    value: 'N',
    min: 0,
    group: TRANSPORT,
    describe: 'retries after a transient failure [default: 4]',
  },
  'retry-delay': {
    kind: 'duration',
    value: 'TIME',
    group: TRANSPORT,
    describe: 'initial delay, doubled each time [default: 500ms]',
  },
  timeout: {
    kind: 'duration',
    value: 'TIME',
    group: TRANSPORT,
    describe: 'give up after TIME without data [default: 60s]',
  },
  quiet: {
    kind: 'switch',
    alias: 'q',
    group: OUTPUT,
    describe: 'show only warnings, errors and the result',
  },
  progress: {
    kind: 'choice',
    values: ['auto', 'plain', 'json', 'none'],
    group: OUTPUT,
    describe: 'report progress [default: auto]',
  },
  color: {
    kind: 'choice',
    values: ['auto', 'always', 'never'],
    group: OUTPUT,
    describe: 'use colors [default: auto]',
  },
  'no-color': { kind: 'switch', group: OUTPUT, describe: 'same as --color never' },
  debug: {
    kind: 'switch',
    alias: 'D',
    group: OUTPUT,
    describe: 'show requests, and the causes of errors',
  },
  help: {
    kind: 'switch',
    alias: 'h',
    group: OUTPUT,
    describe: 'show help; add --all for global options',
  },
  version: { kind: 'switch', alias: 'v', group: OUTPUT, describe: 'show the version' },
} as const satisfies Record<string, OptionDefinition>;

/** Options of single commands. */
const LOCAL = {
  raw: {
    kind: 'switch',
    describe: 'print JSON in the form of manifest-tool v2',
  },
  'expand-config': {
    kind: 'switch',
    describe: 'with --raw, print the config of the image',
  },
  format: {
    kind: 'choice',
    values: ['json', 'table', 'docker', 'docker-verbose', 'raw'],
    describe: 'select the output format',
  },
  config: {
    kind: 'switch',
    describe: 'show the config of the image',
  },
  type: {
    kind: 'choice',
    values: ['docker', 'oci', 'auto'],
    describe: 'type of the index',
  },
  platforms: {
    kind: 'list',
    value: 'P,...',
    describe: 'platforms, as os/arch[/variant]',
  },
  template: {
    kind: 'string',
    value: 'REF',
    describe: 'sources, as in app:OS-ARCH',
  },
  target: { kind: 'string', value: 'REF', describe: 'reference to publish' },
  tags: { kind: 'list', value: 'TAG,...', describe: 'additional tags' },
  tag: {
    kind: 'strings',
    alias: 't',
    value: 'REF|TAG',
    describe: 'additional tag, or target anywhere',
  },
  annotations: {
    kind: 'list',
    value: 'K=V,...',
    describe: 'annotations of an OCI index',
  },
  annotation: {
    kind: 'strings',
    value: 'K=V',
    describe: 'set an annotation; KEY- removes it',
  },
  'artifact-type': {
    kind: 'string',
    value: 'TYPE',
    describe: 'artifactType of an OCI index',
  },
  attestations: {
    kind: 'choice',
    values: ['keep', 'drop'],
    describe: 'keep or drop attestations [default: keep]',
  },
  env: {
    kind: 'switch',
    describe: 'replace ${VAR} and ${VAR:-default} in specs',
  },
  strict: { kind: 'switch', describe: 'treat warnings as errors, before writing' },
  wait: {
    kind: 'duration',
    value: 'TIME',
    describe: 'wait for missing content, up to TIME (30s, 5m)',
  },
  verify: {
    kind: 'checks',
    values: ['deep', 'executables'],
    describe: 'verify the result; checks: deep, executables',
  },
  'no-clobber': { kind: 'switch', describe: 'do not move existing tags' },
  expect: {
    kind: 'string',
    value: 'DIGEST',
    describe: 'move tags only if they point to DIGEST',
  },
  'dry-run': {
    kind: 'switch',
    describe: 'show what would change, without writing it',
  },
  json: { kind: 'switch', describe: 'print the result as JSON' },
  platform: { kind: 'list', value: 'P', describe: 'select entries by platform' },
  digest: { kind: 'list', value: 'DIGEST', describe: 'select the entry with this digest' },
  os: { kind: 'string', value: 'OS', describe: 'set the OS of the entry' },
  arch: { kind: 'string', value: 'ARCH', describe: 'set the architecture of the entry' },
  variant: { kind: 'string', value: 'VARIANT', describe: 'set the variant of the entry' },
  'os-version': { kind: 'string', value: 'VERSION', describe: 'set the OS version of the entry' },
  'os-features': { kind: 'list', value: 'F,...', describe: 'set the OS features of the entry' },
  referrers: {
    kind: 'switch',
    describe: 'include signatures, SBOMs and other referrers',
  },
  all: { kind: 'switch', describe: 'print platform and digest of every entry' },
  full: { kind: 'switch', describe: 'print repository@digest' },
  match: {
    kind: 'string',
    value: 'GLOB',
    describe: "select tags by pattern, for example '1.*'",
  },
  'untag-sources': { kind: 'switch', describe: 'delete the source tags after success' },
  'all-tags': { kind: 'switch', describe: 'copy all tags of the source repository' },
  'at-least': {
    kind: 'list',
    value: 'P,...',
    describe: 'require at least these platforms',
  },
  'same-as': {
    kind: 'string',
    value: 'REF',
    describe: 'require the platforms and digests of REF',
  },
  'same-label': {
    kind: 'strings',
    value: 'KEY',
    describe: 'require one value of a label',
  },
  'require-attestations': {
    kind: 'list',
    value: 'KIND,...',
    describe: 'require sbom, provenance or both',
  },
  deep: { kind: 'switch', describe: 'read and hash every blob' },
  executables: {
    kind: 'switch',
    describe: 'compare programs with platforms',
  },
  'tags-only': {
    kind: 'switch',
    describe: 'create no other repositories, only tags',
  },
  limits: {
    kind: 'switch',
    describe: 'find the manifest size limit (sends up to 8 MiB)',
  },
  digestfile: { kind: 'string', value: 'FILE', describe: 'write the digest to FILE' },
  'metadata-file': {
    kind: 'string',
    value: 'FILE',
    describe: 'write metadata to FILE, as buildx does',
  },
  dotenv: {
    kind: 'string',
    value: 'FILE',
    describe: 'append digest=, image= and others to FILE',
  },
  subjects: {
    kind: 'string',
    value: 'FILE',
    describe: 'write checksum lines for attestation to FILE',
  },
  digests: {
    kind: 'string',
    value: 'DIR',
    describe: 'add images whose digests name files in DIR',
  },
  file: {
    kind: 'strings',
    alias: 'f',
    value: 'FILE',
    describe: 'add the sources listed in FILE',
  },
  require: {
    kind: 'list',
    value: 'P,...',
    describe: 'fail unless the index has these platforms',
  },
  'ignore-missing': {
    kind: 'switch',
    describe: 'skip missing images with a warning',
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
