/** How an option takes its value: `switch` none, `value` one, `list` one, again and again; `host` none or a host after `=`. */
export type OptionKind = 'switch' | 'value' | 'list' | 'host';

export interface OptionSpec {
  readonly kind: OptionKind;
  readonly describe: string;
  readonly alias?: string;
  /** What stands for the value in the help; not given where there are `values`. */
  readonly value?: string;
  /** All values that there are. */
  readonly values?: readonly string[];
  readonly group?: string;
}

/** What stands for the value of an option in the help; undefined where it takes none. */
export function placeholder({ value, values }: OptionSpec): string | undefined {
  return values?.join('|') ?? value;
}

const AUTH = 'Authentication:';
const TRANSPORT = 'Transport:';
const OUTPUT = 'Output:';

/** Options of every command. */
const EVERYWHERE = {
  username: {
    kind: 'value',
    alias: 'u',
    value: 'NAME',
    group: AUTH,
    describe: 'user name for the registry',
  },
  password: {
    kind: 'value',
    alias: 'p',
    value: 'TEXT',
    group: AUTH,
    describe: 'password for the registry (other users of this machine can see it)',
  },
  'password-stdin': {
    kind: 'switch',
    group: AUTH,
    describe: 'read the password from standard input',
  },
  authfile: {
    kind: 'value',
    value: 'FILE',
    group: AUTH,
    describe:
      'file of credentials as podman writes it, and no other [default: $REGISTRY_AUTH_FILE]',
  },
  'docker-cfg': {
    kind: 'value',
    value: 'PATH',
    group: AUTH,
    describe:
      'directory of a docker config.json, or such a file [default: $DOCKER_CONFIG or ~/.docker]',
  },
  'plain-http': {
    kind: 'host',
    group: TRANSPORT,
    describe: 'speak plain HTTP to the registry, or with =HOST to that host only',
  },
  insecure: {
    kind: 'host',
    group: TRANSPORT,
    describe: 'do not check the certificate of the registry, or with =HOST of that host only',
  },
  'ca-file': {
    kind: 'value',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'certificates of authorities to trust as well',
  },
  'cert-file': {
    kind: 'value',
    value: 'FILE',
    group: TRANSPORT,
    describe: "the client's certificate for registries",
  },
  'key-file': {
    kind: 'value',
    value: 'FILE',
    group: TRANSPORT,
    describe: 'the private key of --cert-file',
  },
  'cert-dir': {
    kind: 'value',
    value: 'DIR',
    group: TRANSPORT,
    describe: 'directory of *.crt, *.cert and *.key, in place of certs.d/HOST',
  },
  concurrency: {
    kind: 'value',
    alias: 'j',
    value: 'N',
    group: TRANSPORT,
    describe: 'how many requests to one registry are on their way at a time [default: 40]',
  },
  retry: {
    kind: 'value',
    value: 'N',
    group: TRANSPORT,
    describe: 'how often a request is sent again after a failure that may pass [default: 4]',
  },
  'retry-delay': {
    kind: 'value',
    value: 'TIME',
    group: TRANSPORT,
    describe: 'the first wait before that, which doubles each time: 500ms, 2s [default: 500ms]',
  },
  timeout: {
    kind: 'value',
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
    kind: 'value',
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
} as const satisfies Record<string, OptionSpec>;

/** Options of some commands. */
const SOMEWHERE = {
  raw: {
    kind: 'switch',
    describe: 'show JSON: the manifest, or the list with the manifests of its images',
  },
  'expand-config': {
    kind: 'switch',
    describe: 'with --raw, show the configuration of the image in place of its descriptor',
  },
  format: {
    kind: 'value',
    values: ['json', 'table', 'docker', 'docker-verbose', 'raw'],
    describe:
      'json: all that is known; table: a line a platform; docker, docker-verbose: what docker manifest inspect [-v] prints; raw: the bytes of the registry',
  },
  config: { kind: 'switch', describe: 'show the configuration of the image' },
  type: {
    kind: 'value',
    values: ['docker', 'oci', 'auto'],
    describe:
      'publish a Docker manifest list or an OCI index; auto takes the kind of the images [default: docker, of create auto]',
  },
  platforms: {
    kind: 'list',
    value: 'P,...',
    describe: 'platforms of the list, as os/arch[/variant]',
  },
  template: {
    kind: 'value',
    value: 'REF',
    describe:
      'reference of the images; OS, ARCH and VARIANT in it stand for those of each platform',
  },
  target: { kind: 'value', value: 'REF', describe: 'reference under which the list is published' },
  tags: { kind: 'list', value: 'TAG,...', describe: 'further tags for the list' },
  tag: {
    kind: 'list',
    alias: 't',
    value: 'REF|TAG',
    describe: 'a further tag, or a further target in another repository, registry or layout',
  },
  annotations: {
    kind: 'list',
    value: 'KEY=VALUE,...',
    describe: 'annotations of the list (with --type oci)',
  },
  annotation: {
    kind: 'list',
    value: 'KEY=VALUE',
    describe:
      'set one annotation; commas and = are part of the value. In push and create, index: or manifest-descriptor[PLATFORM]: may stand before it',
  },
  attestations: {
    kind: 'value',
    values: ['keep', 'drop'],
    describe: 'what happens to attestations of sources that are lists [default: keep]',
  },
  env: {
    kind: 'switch',
    describe: 'replace ${VAR} and ${VAR:-default} in a spec from the environment',
  },
  strict: { kind: 'switch', describe: 'make every warning an error, before anything is written' },
  wait: {
    kind: 'value',
    value: 'TIME',
    describe: 'how long what is not found may take to appear: 30s, 5m',
  },
  verify: { kind: 'switch', describe: 'prove afterwards that what is published is whole' },
  'no-clobber': { kind: 'switch', describe: 'move no tag that exists' },
  expect: {
    kind: 'value',
    value: 'DIGEST',
    describe: 'move tags only from this digest',
  },
  'dry-run': {
    kind: 'switch',
    describe: 'do all but write, and show what would be written and which tags would move',
  },
  json: { kind: 'switch', describe: 'show the result as JSON' },
  platform: { kind: 'list', value: 'P', describe: 'the entry for this platform' },
  digest: { kind: 'list', value: 'DIGEST', describe: 'the entry with this digest' },
  os: { kind: 'value', value: 'OS', describe: 'set the os of the entry' },
  arch: { kind: 'value', value: 'ARCH', describe: 'set the architecture of the entry' },
  variant: { kind: 'value', value: 'VARIANT', describe: 'set the variant of the entry' },
  'os-version': { kind: 'value', value: 'VERSION', describe: 'set the os version of the entry' },
  'os-features': { kind: 'list', value: 'F,...', describe: 'set the os features of the entry' },
  referrers: {
    kind: 'switch',
    describe: 'with what refers to it: signatures, bills of materials and the like',
  },
  deep: { kind: 'switch', describe: 'read every blob and check its digest' },
  'tags-only': {
    kind: 'switch',
    describe: 'make no other repositories: stay inside this one, with tags of its own',
  },
  limits: {
    kind: 'switch',
    describe: 'look for the size limit of a manifest as well (up to 8 MiB; sends much)',
  },
  digestfile: { kind: 'value', value: 'FILE', describe: 'write the digest of the list to a file' },
  'metadata-file': {
    kind: 'value',
    value: 'FILE',
    describe: 'write descriptor and names of the list to a file, as buildx does',
  },
  'ignore-missing': {
    kind: 'switch',
    describe: 'leave out images that are not found, with a warning',
  },
} as const satisfies Record<string, OptionSpec>;

export const OPTIONS: Readonly<Record<string, OptionSpec>> = { ...EVERYWHERE, ...SOMEWHERE };

type Known = typeof EVERYWHERE & typeof SOMEWHERE;

/** The values of an option that has a closed set of them. */
export type Choice<N extends keyof Known> = Known[N] extends {
  readonly values: readonly (infer V)[];
}
  ? V
  : never;

export type OptionName = keyof typeof EVERYWHERE | keyof typeof SOMEWHERE;

export const OPTIONS_EVERYWHERE = Object.keys(EVERYWHERE) as OptionName[];

/** The long name of an option, by that name or its letter. */
export function optionName(word: string): OptionName | undefined {
  if (Object.hasOwn(OPTIONS, word)) return word as OptionName;
  return (Object.keys(OPTIONS) as OptionName[]).find((name) => OPTIONS[name]!.alias === word);
}
