import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BASIC_CHECKS } from '../../../src/check-registry/basic-checks.js';
import { DELETION_CHECKS } from '../../../src/check-registry/deletion-checks.js';
import { INDEX_CHECKS, SIZE_CHECK } from '../../../src/check-registry/index-checks.js';
import { WRITE_CHECKS } from '../../../src/check-registry/write-checks.js';
import { COMMAND_NAMES, commandOf, type CommandName } from '../../../src/cli/args/commands.js';
import { OPTIONS } from '../../../src/cli/args/options.js';
import { MAX_DOCUMENT_SIZE, MAX_NAMED_ENTRIES, MAX_NESTING } from '../../../src/oci/limits.js';
import { runCli } from '../../support/cli.js';

/** A page without its line breaks. */
function pageText(name: string): string {
  return readFileSync(name, 'utf8').replaceAll(/\s+/g, ' ');
}

/** The value of a constant in a source file; a number may be a product. */
function constant(file: string, name: string): string {
  const text = readFileSync(`src/${file}`, 'utf8');
  const value = new RegExp(`\\bconst ${name}\\b[^=]*= (.+?);$`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`src/${file} has no constant ${name}`);
  return value;
}

function number(file: string, name: string): number {
  const factors = constant(file, name).replaceAll('_', '').split(' * ').map(Number);
  const value = factors.reduce((product, factor) => product * factor, 1);
  if (Number.isNaN(value)) throw new Error(`${name} in src/${file} is not a number`);
  return value;
}

const MINUTE_MS = 60_000;
const KIB = 1024;
const MIB = KIB * KIB;
const WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

test('network.md states the limits that the program has', () => {
  const client = (name: string): number => number('http/client.ts', name);
  const retries = client('RETRIES');
  const [, errorBytes] = /maxBytes: (.+) }/.exec(constant('http/answer-body.ts', 'ERROR_BODY'))!;
  const [, unusedBytes] = /maxBytes: (.+) }/.exec(constant('http/answer-body.ts', 'UNUSED_BODY'))!;
  expect([errorBytes, unusedBytes]).toEqual(['1024 * 1024', '64 * 1024']);
  expect(constant('http/client.ts', 'LEAST_RATE')).toBe('{ bytes: 60 * 1024, perMs: 60_000 }');
  const answer = client('WHOLE_ANSWER_MS') / MINUTE_MS;
  const upload = number('registry/requests.ts', 'COMMIT_TIMEOUT_MS') / MINUTE_MS;
  const wait = number('http/retry-after.ts', 'MAX_WAIT_MS') / MINUTE_MS;
  const total = number('http/retry.ts', 'MAX_TOTAL_WAIT_MS') / MINUTE_MS;
  const connect = number('http/connect/dispatchers.ts', 'CONNECT_TIMEOUT_MS') / 1000;
  const document = MAX_DOCUMENT_SIZE / MIB;
  const token = number('http/auth/token.ts', 'MAX_ANSWER_BYTES') / KIB;
  const statuses = constant('http/retry.ts', 'RETRIED_STATUS').match(/\d+/g)!.join(', ');
  const heads = constant('registry/errors.ts', 'HEAD_REFUSED').match(/\d+/g)!;
  const claims = [
    `\`--retry\` (${retries}), so at most ${retries + 1} attempts`,
    `\`--retry-delay\` (${client('RETRY_DELAY_MS')}ms)`,
    `up to ${number('http/limiter.ts', 'JITTER') * 100} %`,
    `longest single delay | ${wait} minute |`,
    `total delay of one operation | ${total} minutes |`,
    `opening a connection | ${connect} seconds,`,
    `\`--timeout\` (${client('ANSWER_TIMEOUT_MS') / 1000}s)`,
    `finished upload | ${upload} minutes:`,
    `with all attempts | ${answer} minutes,`,
    `| ${statuses};`,
    `${WORDS[MAX_NESTING]} levels and ${MAX_NAMED_ENTRIES.toLocaleString('en')} entries`,
    `above ${document} MiB, or a token response above ${token} KiB`,
    'more than 1 MiB with an error, or 64 KiB in response to a write',
    '60 KiB per minute',
    `when HEAD returns ${heads.slice(0, -1).join(', ')} or ${heads.at(-1)}`,
  ];
  const page = pageText('docs/reference/network.md');
  expect(claims.filter((claim) => !page.includes(claim))).toEqual([]);
});

test('the defaults in the help, and the accepted words, are those of the program', () => {
  const { retry, 'retry-delay': delay, timeout, concurrency } = OPTIONS;
  const client = (name: string): number => number('http/client.ts', name);
  const most = /http2: (\d+)/.exec(constant('http/connect/dispatchers.ts', 'MAX_REQUESTS'))![1];
  expect(retry.describe).toContain(`[default: ${client('RETRIES')}]`);
  expect(delay.describe).toContain(`[default: ${client('RETRY_DELAY_MS')}ms]`);
  expect(timeout.describe).toContain(`[default: ${client('ANSWER_TIMEOUT_MS') / 1000}s]`);
  expect(concurrency.describe).toContain(`[default: ${most}]`);
  const { type } = OPTIONS;
  const words = type.kind === 'choice' ? type.values.map((word) => `\`${word}\``) : [];
  const accepted = `${words.slice(0, -1).join(', ')} and ${words.at(-1)} are accepted`;
  expect(pageText('docs/guides/from-manifest-tool.md')).toContain(accepted);
});

test('edits.md and credentials.md state the limits that the program has', () => {
  const settle = (name: string): number => number('settle.ts', name);
  const edits = pageText('docs/reference/edits.md');
  expect(edits).toContain(`waits for ${WORDS[settle('SETTLING_ROUND_TRIPS')]} of its own`);
  const [least, most] = [settle('MIN_SETTLING_MS') / 1000, settle('MAX_SETTLING_MS') / 1000];
  expect(edits).toContain(`at least ${least} and at most ${most} seconds`);
  expect(edits).toContain(`After ${settle('MAX_ROUNDS')} rounds`);
  const seconds = number('credentials/helper.ts', 'TIMEOUT_MS') / 1000;
  expect(pageText('docs/reference/credentials.md')).toContain(`at most ${seconds} seconds`);
});

test('the internals and decisions state the limits that the program has', () => {
  const [dispatchers, openFile] = ['http/connect/dispatchers.ts', 'archive/open-file.ts'];
  const requests = constant(dispatchers, 'MAX_REQUESTS').match(/\d\d+/g)!;
  const performance = pageText('docs/internals/performance.md');
  expect(performance).toContain(`At most ${requests[0]} requests to one registry run at a time`);
  expect(performance).toContain(`or ${requests[1]} over HTTP/1.1 with TLS`);
  const perRepository = WORDS[number(dispatchers, 'SPARES_PER_REPOSITORY')];
  expect(pageText('docs/internals/connections.md')).toContain(
    `${perRepository} for each repository in use, at least ${number(dispatchers, 'MIN_SPARES')}`,
  );
  const archives = pageText('docs/decisions/archives.md');
  const members = number('archive/tar-index.ts', 'MAX_MEMBERS').toLocaleString('en');
  expect(archives).toContain(`more than ${members} members`);
  expect(archives).toContain(`limited to ${number(openFile, 'MAX_RATIO')} times`);
  const { targets } = JSON.parse(readFileSync('scripts/executables/targets.json', 'utf8')) as {
    readonly targets: Readonly<Record<string, { readonly node: string }>>;
  };
  const majors = (os: string): string[] => {
    const entries = Object.entries(targets).filter(([target]) => target.startsWith(os));
    return [...new Set(entries.map(([, { node }]) => node.split('.')[0]!))];
  };
  const decision = pageText('docs/decisions/single-executables.md');
  for (const os of ['linux', 'win']) {
    expect(decision).toContain(`Linux and Windows use Node ${majors(os).join(', ')},`);
  }
  expect(decision).toContain(`macOS uses ${majors('darwin').join(', ')}.`);
});

test('check-registry.md lists every check, in order', () => {
  const text = readFileSync('docs/reference/check-registry.md', 'utf8');
  const table = text.split('\n## ')[0]!;
  const cells = [...table.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell!);
  const listed = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  const checks = [
    ...BASIC_CHECKS,
    ...INDEX_CHECKS,
    ...WRITE_CHECKS,
    SIZE_CHECK,
    ...DELETION_CHECKS,
  ];
  expect(listed).toEqual(checks.map(({ name }) => name));
  const limit = number('check-registry/manifest-limit.ts', 'MAX_SIZE') / MIB;
  const precision = number('check-registry/manifest-limit.ts', 'PRECISION') / KIB;
  expect(text).toContain(`up to ${limit} MiB and to within ${precision} KiB`);
  const grace = number('cli/commands/check-registry.ts', 'GRACE_MS');
  expect(text).toContain(`${grace} ms on cleanup`);
});

test('architecture.md lists all folders and files of src', () => {
  const page = readFileSync('docs/internals/architecture.md', 'utf8');
  const tree = page.split(/^ {4}src\/$/m)[1]!.split(/^\S/m)[0]!;
  const entries = readdirSync('src', { withFileTypes: true });
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  expect(names.filter((name) => !tree.includes(` ${name}`))).toEqual([]);
});

interface EventSchema {
  readonly properties: Readonly<Record<string, { const?: string; enum?: readonly string[] }>>;
}

test('progress.md lists every event with its members', () => {
  const schema = JSON.parse(readFileSync('docs/reference/progress.schema.json', 'utf8')) as {
    readonly oneOf: readonly EventSchema[];
  };
  const inSchema = schema.oneOf.flatMap(({ properties: { event, ...members } }) =>
    (event!.enum ?? [event!.const!]).map((name) => [name, Object.keys(members).toSorted()]),
  );
  const rows = readFileSync('docs/reference/progress.md', 'utf8').matchAll(
    /^\| `(\w+)` \| (`[^|]+) \|/gm,
  );
  const inPage = [...rows].map(([, name, members]) => [
    name,
    [...members!.matchAll(/`(\w+)`/g)].map(([, member]) => member!).toSorted(),
  ]);
  expect(Object.fromEntries(inPage)).toEqual(Object.fromEntries(inSchema));
});

interface RoundTrips {
  readonly jobs: readonly {
    readonly title: string;
    readonly steps: string;
    readonly http: Readonly<Record<string, { readonly chain: number }>>;
  }[];
}

test('each job of round-trips.json has as many steps as its longest chain', () => {
  const { jobs } = JSON.parse(readFileSync('docs/round-trips.json', 'utf8')) as RoundTrips;
  for (const { title, steps, http } of jobs) {
    const chain = Math.max(...Object.values(http).map((counts) => counts.chain));
    expect([title, steps.split('; ').length]).toEqual([title, chain]);
  }
});

test('the comment of demo.sh has the number of platforms', () => {
  const text = readFileSync('scripts/demo.sh', 'utf8');
  const platforms = /^platforms=(\S+)$/m.exec(text)![1]!.split(',');
  expect(text).toContain(`an index of ${WORDS[platforms.length]} platforms`);
});

/** Arguments that each command with --platform needs besides; the layout does not exist. */
const IMAGE = 'oci-layout://nowhere:1';
const OPERANDS: Partial<Record<CommandName, readonly string[]>> = {
  inspect: [IMAGE],
  digest: [IMAGE],
  create: ['--target', IMAGE, IMAGE],
  copy: [IMAGE, `${IMAGE}.0`],
  add: [IMAGE, IMAGE],
  remove: [IMAGE],
  annotate: [IMAGE, '--annotation', 'a=b'],
};

test.each(COMMAND_NAMES.filter((name) => commandOf(name).options.includes('platform')))(
  'the manual says whether %s accepts several --platform',
  async (command) => {
    const operands = OPERANDS[command]!;
    const platforms = ['--platform', 'linux/amd64', '--platform', 'linux/arm64'];
    const { code, stderr } = await runCli([...command.split(' '), ...operands, ...platforms]);
    const page = `docs/reference/commands/${command.replaceAll(' ', '-')}.md`;
    const row = /^\| `--platform P.*$/m.exec(readFileSync(page, 'utf8'))![0];
    const isRefused = stderr.includes('has 2 platforms');
    expect(row.includes('Repeatable')).toBe(!isRefused);
    // Not found: the platforms were accepted.
    expect(code).toBe(isRefused ? 2 : 3);
  },
);
