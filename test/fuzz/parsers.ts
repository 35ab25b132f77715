import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { OPTIONS } from '../../src/cli/args/options.js';
import { parseCommandLine } from '../../src/cli/args/parse.js';
import type { Spec } from '../../src/core/publish/request.js';
import { parseSpecs } from '../../src/spec/spec.js';
import {
  findInAuths,
  parseConfig as parseDockerConfig,
} from '../../src/credentials/docker-config.js';
import { createHelpers } from '../../src/credentials/helper.js';
import { createCredentialStore } from '../../src/credentials/store.js';
import { formatDuration, parseDuration } from '../../src/duration.js';
import { ManifestToolError } from '../../src/errors.js';
import {
  algorithmPart,
  encodedPart,
  isDigest,
  matchesDigest,
  parseDigest,
} from '../../src/oci/digest.js';
import { parseConfig } from '../../src/oci/image-config.js';
import { parseDocument, type ImageDocument } from '../../src/oci/documents.js';
import { FieldError } from '../../src/oci/json/fields.js';
import { configMembers } from '../../src/oci/json/go-config.js';
import { goMarshalIndent, Members } from '../../src/oci/json/go-marshal.js';
import { indexMembers, manifestMembers } from '../../src/oci/json/go-structs.js';
import {
  JsonNumber,
  parseJson,
  type JsonObject,
  type JsonValue,
} from '../../src/oci/json/parse.js';
import { formatPlatform, parsePlatform } from '../../src/oci/platform.js';
import { platformKey, servesPlatform } from '../../src/oci/select-entry.js';
import { formatReference, parseReference } from '../../src/oci/reference.js';
import { Secrets } from '../../src/secrets.js';
import { parseChallenges } from '../../src/http/auth/challenge.js';
import { HttpHeaders } from '../../src/http/request.js';
import { isDirect, proxyFor } from '../../src/http/connect/proxy-for.js';
import { checkedRealm } from '../../src/http/auth/realm.js';
import { isSecondaryLimit, retryAfter } from '../../src/http/retry-after.js';
import { accepted, checkText, parser, that, type Parser } from './check.js';
import { configs, documents, wireTypes } from './documents.js';
import {
  architectures,
  digests,
  hosts,
  joined,
  maybe,
  operatingSystems,
  platforms,
  references,
  repositories,
  texts,
  variants,
  words,
} from './generators.js';
import { helperAnswer } from './helper-answer.js';

const WIRE_REFUSALS = [SyntaxError, FieldError];

const reference = parser('reference', texts(references), async (text) => {
  const read = await accepted(() => parseReference(text));
  if (read === undefined) return;
  const printed = formatReference(read);
  same(parseReference(printed), read);
  if (read.kind === 'registry') that(URL.canParse(`https://${read.host}/v2/`), 'no host of a URL');
});

const platform = parser('platform', texts(platforms), async (text) => {
  const read = await accepted(() => parsePlatform(text));
  if (read === undefined) return;
  same(parsePlatform(formatPlatform(read)), read);
  that(servesPlatform(read, read), 'does not serve itself');
  that(platformKey(read) === platformKey(parsePlatform(formatPlatform(read))), 'two keys');
});

const digest = parser('digest', texts(digests), async (text) => {
  const read = await accepted(() => parseDigest(text));
  that((read !== undefined) === isDigest(text), 'isDigest says otherwise');
  if (read === undefined) return;
  that(read === text && `${algorithmPart(read)}:${encodedPart(read)}` === text, 'not itself');
  that(!matchesDigest(Buffer.from(text), read), 'matches anything');
});

const json = parser('JSON', texts(fc.oneof(fc.json(), documents, configs)), async (text) => {
  const read = await accepted(() => parseJson(text), [SyntaxError]);
  const theirs = await accepted(() => JSON.parse(text) as unknown, [SyntaxError]);
  if (read === undefined) {
    that(theirs === undefined || depthOf(theirs) > 100, 'JSON.parse takes it');
    return;
  }
  same(plain(read), theirs);
  for (const indent of ['', '   ']) {
    const printed = goMarshalIndent(read, indent);
    same(plain(parseJson(printed)), wellFormed(theirs));
    same(JSON.parse(printed), wellFormed(theirs));
  }
});

const document = parser(
  'document',
  fc.tuple(bytesOf(documents), wireTypes),
  async ([bytes, wireType]) => {
    const read = await accepted(() => parseDocument(bytes, wireType), WIRE_REFUSALS);
    if (read === undefined) return;
    const printed = printDocument(read.document);
    const again = parseDocument(Buffer.from(printed), read.mediaType);
    that(again.mediaType === read.mediaType, 'another type');
    same(printDocument(again.document), printed);
  },
);

const config = parser('image config', bytesOf(configs), async (bytes) => {
  const read = await accepted(() => parseConfig(bytes), WIRE_REFUSALS);
  if (read === undefined) return;
  const print = (members: JsonObject): string => goMarshalIndent(configMembers(members), '  ');
  const printed = print(read.json);
  const again = parseConfig(Buffer.from(printed));
  same(print(again.json), printed);
  same(wellFormed(again.platform), wellFormed(read.platform));
});

const challengeLines = joined(
  fc.constantFrom('Bearer ', 'Basic ', 'bearer ', 'Negotiate abc==, ', 'Digest a=b, Bearer ', ''),
  words(
    [
      'realm="https://auth.example/token"',
      'service="registry"',
      'scope="repository:a/b:pull,push"',
      'realm=x',
      'error="in\\"valid"',
      'a = "b"',
      'Basic realm=""',
    ],
    ',',
  ),
  maybe(fc.constantFrom(', Basic realm="x"', '"', ' ,')),
);

const challenge = parser(
  'challenge',
  fc.array(texts(challengeLines), { maxLength: 3 }),
  (lines) => {
    const read = parseChallenges(lines);
    for (const { scheme, parameters } of read) {
      that(scheme !== '' && scheme === scheme.toLowerCase(), 'scheme');
      for (const name of parameters.keys()) that(name === name.toLowerCase(), 'name');
    }
    const printed = read.map(({ scheme, parameters }) =>
      [scheme, [...parameters].map(([name, value]) => `${name}=${quote(value)}`).join(', ')].join(
        ' ',
      ),
    );
    same(parseChallenges([printed.join(', ')]), read);
    same(parseChallenges(printed), read);
  },
);

const urls = fc
  .tuple(fc.constantFrom('http://', 'https://'), hosts, maybe(fc.constantFrom(':1', ':443')))
  .map((parts) => parts.join(''))
  .filter((text) => URL.canParse(text))
  .map((text) => new URL(text));
const noProxyLists = words(
  (
    '* *.example.com .example.com example.com:443 ghcr.io localhost 10.0.0.0/8 10.0.0.1 ::1 [::1]:5000 fe80::/10 ' +
    'fe80::1%eth0 fe80::1%eth0/64 ::ffff:10.0.0.0/104 ::ffff:10.0.0.0/8 1.2.3.4/99 bücher.example xn--a \ta  '
  ).split(' '),
  ',',
  6,
);

const noProxy = parser('NO_PROXY', fc.tuple(urls, texts(noProxyLists)), ([url, list]) => {
  const direct = isDirect(url, list);
  that(direct === isDirect(url, list.split(',').toReversed().join(',')), 'the order counts');
  that(direct === isDirect(url, `${list},${list}`), 'twice is not once');
  that(isDirect(url, `${list},${url.hostname}`), 'its own name does not count');
  that(isDirect(url, `${list},*`), '* does not count');
  that(isDirect(new URL('http://127.0.0.1:5000'), list), 'loopback');
});

/** Found nowhere but where it was put. */
const CANARY = 'c4narY-s3cret';
const CANARIES = [CANARY, Buffer.from(`user:${CANARY}`).toString('base64').slice(4, 20)];

const proxyAddresses = joined(
  maybe(fc.constantFrom('http://', 'https://', 'HTTP://', 'socks5://', 'ftp://')),
  maybe(
    fc.constantFrom(
      `user:${CANARY}@`,
      `user:${CANARY}/@`,
      `u%zz:${CANARY}@`,
      `:${CANARY}@`,
      'user@',
    ),
  ),
  hosts,
  maybe(fc.constantFrom(':3128', ':', ':99999', ':3128/', '/path')),
);

const proxy = parser(
  'proxy',
  fc.record({
    url: urls,
    variable: fc.constantFrom('HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'),
    address: texts(proxyAddresses),
    list: maybe(noProxyLists),
    method: fc.constantFrom('', '', '', 'GET'),
  }),
  async ({ url, variable, address, list, method }) => {
    const env = { [variable]: address, NO_PROXY: list, REQUEST_METHOD: method };
    const found = await accepted(() => proxyFor(url, env), [ManifestToolError], CANARIES);
    if (found === undefined) return;
    that(/^https?:$/.test(found.protocol) && found.hostname !== '', 'no HTTP proxy');
    that(!isDirect(url, list), 'NO_PROXY does not count');
    // What is sent to the proxy as its credentials.
    decodeURIComponent(found.username + found.password);
  },
);

const realms = joined(
  fc.constantFrom('https://', 'http://', '//', '/', 'file://', 'javascript:', ''),
  maybe(fc.constantFrom('u:p@', 'u@')),
  hosts,
  maybe(fc.constantFrom('/token', '/token?a=b', ':81/x#y', '\\x')),
);

const realm = parser('realm', fc.tuple(texts(realms), urls), async ([text, registry]) => {
  const read = await accepted(() => checkedRealm(text, registry));
  if (read === undefined) return;
  that(/^https?:$/.test(read.protocol), 'no http address');
  that(read.username === '' && read.password === '', 'credentials');
  that(read.protocol === 'https:' || registry.protocol === 'http:', 'plain http');
});

const durations = fc.oneof(
  words(['1h', '30m', '1.5s', '250ms', '10µs', '3us', '999999ns', '0s'], ''),
  fc.constantFrom('0', '1', '1.5', '60', '9'.repeat(15)),
);

const duration = parser('duration', fc.tuple(texts(durations), fc.nat(10 ** 9)), ([text, ms]) => {
  const read = parseDuration(text);
  if (read !== undefined) {
    that(read >= 0, 'negative or not a number');
    if (read < 2 ** 53) same(parseDuration(`${read}ms`), read);
    checkText(formatDuration(read));
  }
  same(parseDuration(goDuration(ms)), ms);
  same(parseDuration(String(ms)), ms * 1000);
});

const retryFields = fc.oneof(
  fc.constantFrom(
    '0',
    '120',
    ' 5 ',
    '1.5',
    '-1',
    'Wed, 21 Oct 2037 07:28:00 GMT',
    '2037-10-21',
    'soon',
  ),
  durations,
);
const retryBodies = joined(
  '{"errors":[{"message":"retry-after: ',
  durations,
  ', allowed: 44000/minute"}]}',
);

const retry = parser(
  'Retry-After',
  fc.record({
    field: fc.option(texts(retryFields), { nil: undefined }),
    body: texts(retryBodies),
    status: fc.constantFrom(403, 429, 503),
  }),
  ({ field, body, status }) => {
    const response = {
      status,
      headers: new HttpHeaders({ 'retry-after': field }),
      body: Buffer.from(body),
      url: new URL('https://example.com/'),
    };
    const wait = retryAfter(response, Date.now());
    that(wait === undefined || wait >= 0, `waits ${wait}`);
    isSecondaryLimit(response);
  },
);

const secretEntries = fc.constantFrom(
  { auth: Buffer.from(`user:${CANARY}`).toString('base64') },
  { auth: Buffer.from(CANARY).toString('base64') },
  { auth: CANARY },
  { username: 'user', password: CANARY },
  { password: CANARY },
  { username: 1, password: CANARY },
  { identitytoken: CANARY },
  { registryToken: CANARY, auth: '' },
  { auth: [CANARY] },
  {},
  [],
  null,
  CANARY,
);
const configKeys = fc.oneof(
  fc.constantFrom('https://index.docker.io/v1/', 'https://ghcr.io/v2/', 'ghcr.io/team', 'ghcr.io/'),
  hosts,
);
const dockerConfigs = fc
  .record(
    {
      auths: fc.oneof(
        { weight: 9, arbitrary: fc.dictionary(configKeys, secretEntries, { maxKeys: 4 }) },
        { weight: 1, arbitrary: fc.constantFrom<unknown>(null, [], 1, 'x') },
      ),
      credHelpers: fc.dictionary(
        configKeys,
        fc.constantFrom<unknown>('pass', '', '../x', 'a/b', 1),
        {
          maxKeys: 1,
        },
      ),
      credsStore: fc.constantFrom<unknown>('', 'desktop', '..', '\u001b[2J', 1, null),
      HttpHeaders: fc.constant({ 'X-Meta': CANARY }),
    },
    { requiredKeys: ['auths'] },
  )
  .map((value) => JSON.stringify(value, null, 1));

const dockerConfig = parser(
  'docker config',
  fc.record({
    text: texts(dockerConfigs),
    host: hosts,
    repository: repositories,
    format: fc.constantFrom('config', 'flat'),
  }),
  async ({ text, host, repository, format }) => {
    const refusals = [ManifestToolError];
    // Of the name of a file, nothing is expected either.
    const read = await accepted(() => parseDockerConfig('a\nb', text, format), refusals, CANARIES);
    helperAnswer.next = { kind: 'failed', why: 'is not installed' };
    if (read !== undefined) {
      await accepted(() => findInAuths(read, host, repository), refusals, CANARIES);
    }
    const store = createCredentialStore({
      env: { DOCKER_AUTH_CONFIG: text },
      dockerConfig: path.join(import.meta.dirname, 'absent.json'),
      onWarning: (warning) => checkText(warning, CANARIES),
    });
    await store.has(host, repository);
    const found = await accepted(() => store.get(host, repository), refusals, CANARIES);
    if (found !== undefined) checkText(found.source, CANARIES);
  },
);

const answers = fc.oneof(
  fc
    .record(
      {
        ServerURL: fc.constantFrom<unknown>('ghcr.io', 1),
        Username: fc.constantFrom<unknown>('user', '<token>', '', 1, null),
        Secret: fc.constantFrom<unknown>(CANARY, '', [CANARY]),
        __proto__: fc.constant(null),
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
  fc.constantFrom(
    'credentials not found in native keychain\n',
    'no credentials server URL',
    `error: ${CANARY}`,
    CANARY,
    JSON.stringify(CANARY),
  ),
);

const helper = parser(
  'helper answer',
  fc.record({
    stdout: texts(answers),
    stderr: texts(fc.constantFrom('', 'the keychain is locked\n', 'a\tb\nc')),
    code: fc.constantFrom(0, 0, 1, 255),
    suffix: texts(fc.constantFrom('pass', 'desktop.exe', 'a/b', '..')),
    host: hosts,
  }),
  async ({ stdout, stderr, code, suffix, host }) => {
    helperAnswer.next = { kind: 'exited', code, stdout, stderr };
    const ask = createHelpers({ env: {} });
    const setting = 'credsStore in config.json';
    const once = async (): Promise<unknown> =>
      accepted(() => ask({ suffix, setting }, host), [ManifestToolError], CANARIES);
    same(await once(), await once());
  },
);

const specPlatforms = fc.record(
  {
    os: fc.constantFrom(...operatingSystems),
    architecture: fc.constantFrom<unknown>(...architectures, 386),
    variant: fc.constantFrom(...variants),
    'os.version': fc.constantFrom<unknown>('10.0.1', 10.1),
    osfeatures: fc.constantFrom<unknown>(['win32k'], [], null),
    features: fc.constant(['sse4']),
  },
  { requiredKeys: [] },
);
const specValues = fc.record(
  {
    image: references,
    tags: fc.constantFrom<unknown>(['1', '1.10'], [], null, 'x', ['-']),
    annotations: fc.constantFrom<unknown>({ a: 'b', c: 1, '<<': 'x' }, null, []),
    manifests: fc.array(
      fc.record(
        {
          image: references,
          platform: specPlatforms,
          annotations: fc.constantFrom<unknown>({ a: 'b', c: 1 }, {}, null, ['x']),
        },
        { requiredKeys: ['image', 'platform'] },
      ),
      { maxLength: 3 },
    ),
    type: fc.constantFrom<unknown>('oci', 'docker', 'auto', 'x', null),
    artifactType: fc.constantFrom<unknown>('a/b', 'x', '', null),
    attestations: fc.constantFrom<unknown>('keep', 'drop', true, null),
    extra: fc.constant(1),
  },
  { requiredKeys: ['image', 'manifests'] },
);
/** YAML as people write it, with all that YAML has. */
const yamlTexts = joined(
  maybe(fc.constantFrom('%YAML 1.1\n---\n', '---\n', '# c\n', 'x: &a0 {os: linux}\n', '&a0\n')),
  'image: ',
  fc.constantFrom(
    'a/b:1',
    '"a:1"',
    "'a'",
    '!!str a',
    '|\n  a\n',
    '>-\n  a\n',
    '*a0',
    '&a1 a',
    '!!binary YQ==',
    '1.10',
  ),
  '\n',
  maybe(
    fc.constantFrom(
      'tags: [a, 1.10, 0x1f]\n',
      'tags:\n- a\n- &t b\n- *t\n',
      'tags: !!set {a, b}\n',
    ),
  ),
  maybe(fc.constantFrom('annotations: {a: b, ? c, <<: *a0}\n', 'annotations:\n  ? [a]\n  : b\n')),
  'manifests:\n',
  words(
    [
      '- image: a:OS\n  platform: &a2 {os: linux, architecture: amd64}\n',
      '- {image: a, platform: {architecture: arm64, <<: *a2}}\n',
      '- {image: a, platform: {<<: [*a2, *a0]}}\n',
      '- &a3 {image: a, platform: {}, <<: *a3}\n',
      '- <<: {image: a}\n  platform:\n    os: windows\n    architecture: 386\n    os.version: 10.0\n',
      '- image:\n',
      '- [a]\n',
      '- ? image\n  : a\n',
    ],
    '',
  ),
);

/** The package for YAML makes an error, with its stack, for each of 13,000 faults. */
const YAML_LIMIT_MS = 1500;

const spec = parser(
  'YAML spec',
  texts(
    fc.oneof(
      specValues.map((value) => JSON.stringify(value)),
      yamlTexts,
    ),
  ),
  async (text) => {
    const options = { warning: checkText };
    const specs = (await accepted(() => parseSpecs(text, 'spec.yaml', options))) ?? [];
    for (const read of specs) same(parseSpecs(printSpec(read), 'again.yaml', options), [read]);
  },
  YAML_LIMIT_MS,
);

const optionNames = Object.keys(OPTIONS);
const commandWords = fc.oneof(
  fc.constantFrom(...'inspect push from-args from-spec a:1 - -- -D -h -v --= -=x'.split(' ')),
  fc.constantFrom(...optionNames.map((name) => `--${name}`)),
  joined(
    fc.constantFrom('--', '-'),
    fc.constantFrom(...optionNames, 'u', 'p', 'x', 'insecure=true', 'raw=false'),
    maybe(joined('=', fc.constantFrom('', 'a', 'true', '"q"', '0x10', '1e3', '-x', 'a=b'))),
  ),
);

const commandLine = parser(
  'command line',
  fc.array(texts(commandWords), { maxLength: 8 }),
  async (argv) => {
    const read = await accepted(
      () => parseCommandLine([`--password=${CANARY}`, ...argv]),
      [ManifestToolError],
      CANARIES,
    );
    if (read?.kind !== 'run') return;
    const { command, options } = read;
    same(options.get('password'), [CANARY]);
    const printed = [
      ...command.split(' '),
      ...[...options].flatMap(([name, values]) =>
        values.length === 0 ? `--${name}` : values.map((value) => `-${name}=${value}`),
      ),
      '--',
      ...read.words,
    ];
    same(parseCommandLine(printed), read);
    // Each word is somewhere in the result: nothing that was typed is passed over in silence.
    for (const word of argv) {
      that(isUsed(word, read), `${JSON.stringify(word)} is passed over`);
    }
  },
);

const optionValues = parser(
  'option values',
  fc.record({
    value: texts(
      fc.constantFrom('a', '"a"', "'a'", '0x10', 'true', '-1', '--x', ' ', '', '[a]', 'a.b'),
    ),
    name: fc.constantFrom('username', 'ca-file', 'timeout', 'authfile'),
    form: fc.constantFrom('--n=v', '-n=v', '--n v'),
    positional: texts(references),
  }),
  async ({ value, name, form, positional }) => {
    const option =
      form === '--n v' ? [`--${name}`, value] : [`${form.slice(0, -3)}${name}=${value}`];
    if (
      form === '--n v' &&
      value.startsWith('--') &&
      optionNames.includes(value.slice(2).split('=')[0]!)
    )
      return;
    const read = parseCommandLine(['inspect', ...option, '--', positional]);
    that(read.kind === 'run', 'no command');
    if (read.kind !== 'run') return;
    same([...read.options], [[name, [value]]]);
    same(read.words, [positional]);
  },
);

const secretForms: readonly ((secret: string) => string)[] = [
  (secret) => secret,
  (secret) => Buffer.from(secret).toString('base64'),
  (secret) => `https://user:${encodeURIComponent(secret)}@host/`,
  (secret) => JSON.stringify({ secret }),
];

const redactor = parser(
  'redactor',
  fc.record({
    secret: fc.string({ unit: 'grapheme-composite', minLength: 4, maxLength: 20 }),
    form: fc.constantFrom(...secretForms),
    before: texts(
      fc.constantFrom('Bearer ', 'Basic ', 'http://u:p@h', 'eyJhbGciOi.eyJhbGciOi.x', 'a'),
    ),
    after: texts(fc.constantFrom('', '@host', '=="', 'x')),
  }),
  ({ secret, form, before, after }) => {
    const secrets = new Secrets();
    secrets.add(secret);
    secrets.addUrl(before);
    const hidden = form(secret);
    const text = secrets.redact(`${before}\n${hidden}\n${after}`);
    that(!text.includes(`\n${hidden}\n`), 'a secret is shown');
    checkText(text);
  },
);

/** All parsers of what comes from outside; the slowest first, so that `make fuzz` ends soonest. */
export const PARSERS: readonly Parser[] = [
  spec,
  commandLine,
  optionValues,
  dockerConfig,
  document,
  config,
  json,
  reference,
  platform,
  digest,
  challenge,
  noProxy,
  proxy,
  realm,
  duration,
  retry,
  helper,
  redactor,
];

function same(a: unknown, b: unknown): void {
  that(isDeepStrictEqual(a, b), `${shown(a)} is not ${shown(b)}`);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Map ? [...(item as ReadonlyMap<unknown, unknown>)] : item,
  );
  return (text ?? 'undefined').slice(0, 1000);
}

function bytesOf(valid: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 20, arbitrary: texts(valid).map((text) => new Uint8Array(Buffer.from(text))) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  );
}

/** JSON as JSON.parse gives it. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (value instanceof Map) {
    return Object.fromEntries([...(value as JsonObject)].map(([key, item]) => [key, plain(item)]));
  }
  return Array.isArray(value) ? (value as JsonValue[]).map(plain) : value;
}

/** What Go writes: halves of surrogate pairs are no text there. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, item]) => [key.toWellFormed(), wellFormed(item)]));
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let level = [value]; level.length > 0; depth += 1) {
    level = level.flatMap((item) =>
      typeof item === 'object' && item !== null ? (Object.values(item) as unknown[]) : [],
    );
  }
  return depth;
}

function printDocument(read: ImageDocument): string {
  const members = read.kind === 'index' ? indexMembers(read) : manifestMembers(read);
  return goMarshalIndent(new Members(members), '  ');
}

function quote(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** As Go prints it. */
function goDuration(ms: number): string {
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  return `${hours}h${minutes}m${(ms % 60_000) / 1000}s`;
}

/** A spec in JSON, which is YAML. */
function printSpec(read: Spec): string {
  const { target, tags, type, artifactType, annotations, dropAttestations, sources } = read;
  return JSON.stringify({
    image: formatReference(target),
    tags,
    type,
    artifactType,
    attestations: dropAttestations === undefined ? undefined : dropAttestations ? 'drop' : 'keep',
    annotations: Object.fromEntries(annotations),
    manifests: sources.map(({ reference: image, platform: wanted = {}, annotations: own }) => ({
      image: formatReference(image),
      annotations: own && Object.fromEntries(own),
      platform: {
        os: wanted.os,
        architecture: wanted.architecture,
        variant: wanted.variant,
        osversion: wanted.osVersion,
        osfeatures: wanted.osFeatures,
      },
    })),
  });
}

type Run = Extract<ReturnType<typeof parseCommandLine>, { kind: 'run' }>;

/** Whether a word of a command line has left a trace, or is one that may leave none. */
function isUsed(word: string, { command, words: positionals, options }: Run): boolean {
  const name = /^--?([^=]+)/.exec(word)?.[1];
  if (word === '--' || command.split(' ').includes(word) || positionals.includes(word)) return true;
  if (name !== undefined && (name.length === 1 || name in OPTIONS)) return true;
  return [...options.values()].some((all) => all.includes(word));
}
