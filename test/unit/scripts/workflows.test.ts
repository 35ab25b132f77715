import { existsSync, readFileSync, readdirSync } from 'node:fs';
import {
  convertWorkflowTemplate,
  NoOperationTraceWriter,
  parseWorkflow,
} from '@actions/workflow-parser';
import { parseAction } from '@actions/workflow-parser/actions/action-parser';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TARGETS } from '../../../scripts/executables/runtime.mjs';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: {
    readonly matrix: {
      readonly node?: readonly string[];
      readonly platform?: readonly string[];
      readonly include?: readonly { readonly target: string }[];
    };
  };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: { readonly push?: { readonly tags?: readonly string[] } };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const workflows = new Map(
  readdirSync(FOLDER).map((name) => [
    name,
    parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Workflow,
  ]),
);
const own = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
};
const targets = readFileSync('Makefile', 'utf8').matchAll(/^([a-z]+):/gm);
const makeTargets = new Set([...targets].map(([, target]) => target));

/** Whether what a step runs is there: a target of make, a script of package.json or a file; or is a program of the runner. */
function isKnown(line: string): boolean {
  const words = line.replace(/^(?:sudo|\w+=\S+) /, '').split(' ');
  const [command, first = ''] = words;
  if (command === 'make') return words.slice(1).every((word) => makeTargets.has(word));
  if (command === 'node' || command === 'bash') return existsSync(first);
  if (command === 'npm' && first === 'run')
    return words.slice(2).some((word) => word in own.scripts);
  return (
    ['npm ci', 'npm pack', 'npm publish', 'gh release'].includes(`${command} ${first}`) ||
    ['tar', 'echo'].includes(command!)
  );
}

/** What GitHub's own parser finds: unknown keys, values of other types, and expressions that are not valid there. */
async function faults(name: string, content: string): Promise<string[]> {
  const file = { name, content };
  const trace = new NoOperationTraceWriter();
  const isAction = name === 'action.yml';
  const { context, value } = isAction ? parseAction(file, trace) : parseWorkflow(file, trace);
  if (!isAction && value !== undefined) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

const FILES = [
  'action.yml',
  ...[FOLDER, 'examples/github'].flatMap((folder) =>
    readdirSync(folder).map((name) => `${folder}/${name}`),
  ),
];

test.each(FILES)('%s is valid', async (name) => {
  expect(await faults(name, readFileSync(name, 'utf8'))).toEqual([]);
});

test.each([
  ['timeout-minutes:', 'timeout:', /Unexpected value 'timeout'/],
  ['runs-on: ubuntu-24.04', 'runs-on: ${{ secret.runner }}', /Unrecognized named-value: 'secret'/],
  ['branches: [main]', 'branch: main', /Unexpected value 'branch'/],
  ['needs: check', 'needs: chek', /job 'package' depends on unknown job 'chek'/i],
])('%s written as %s is found', async (right, wrong, message) => {
  const name = [...workflows.keys()].find((each) =>
    readFileSync(`${FOLDER}/${each}`, 'utf8').includes(right),
  )!;
  const text = readFileSync(`${FOLDER}/${name}`, 'utf8').replace(right, wrong);
  expect((await faults(name, text)).join('\n')).toMatch(message);
});

const jobs = [...workflows].flatMap(([name, { jobs: all }]) =>
  Object.entries(all).map(([job, content]) => ({ name: `${name} ${job}`, content, all })),
);

describe.each(jobs)('$name', ({ content, all }) => {
  test('runs only what is there', () => {
    const lines = content.steps.flatMap(({ run }) => run?.trim().split('\n') ?? []);
    expect(lines.filter((line) => !isKnown(line))).toEqual([]);
  });

  test('pins its actions by commit', () => {
    const used = content.steps.flatMap(({ uses }) => uses ?? []);
    expect(used.filter((each) => !/^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/.test(each))).toEqual([]);
  });

  test('has an end, needs jobs that exist, and leaves no token behind', () => {
    expect(content['timeout-minutes']).toBeGreaterThan(0);
    expect([content.needs ?? []].flat().filter((need) => !(need in all))).toEqual([]);
    const checkouts = content.steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const each of checkouts) expect(each.with).toMatchObject({ 'persist-credentials': false });
  });
});

test('each action has one commit, with its version beside it', () => {
  const commits = new Map<string, Set<string>>();
  for (const name of ['action.yml', ...[...workflows.keys()].map((each) => `${FOLDER}/${each}`)])
    for (const line of readFileSync(name, 'utf8').match(/uses: .*/g) ?? []) {
      const [, action, rest] =
        /^uses: ([\w-]+\/[\w-]+)[\w/-]*@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ?? [];
      expect([line, action]).not.toContain(undefined);
      commits.set(action!, (commits.get(action!) ?? new Set()).add(rest!));
    }
  expect([...commits].filter(([, each]) => each.size > 1)).toEqual([]);
});

test('packages are installed without running their scripts', () => {
  const files = [
    'Makefile',
    'Dockerfile',
    'scripts/action/build.sh',
    ...[...workflows.keys()].map((name) => `${FOLDER}/${name}`),
  ];
  const lines = files.flatMap(
    (file) => readFileSync(file, 'utf8').match(/npm (?:ci|install)\b.*/g) ?? [],
  );
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.filter((line) => !line.includes('--ignore-scripts'))).toEqual([]);
});

test('nothing may write but what has to', () => {
  const writes = [...workflows].flatMap(([name, { permissions, jobs: all }]) => [
    ...Object.entries(permissions).map((each) => [name, '*', ...each]),
    ...Object.entries(all).flatMap(([job, each]) =>
      Object.entries(each.permissions ?? {}).map((one) => [name, job, ...one]),
    ),
  ]);
  expect(writes.filter(([, , , access]) => access !== 'read')).toEqual([
    ['codeql.yml', 'analyze', 'security-events', 'write'],
    ['release.yml', 'publish', 'id-token', 'write'],
    ['release.yml', 'image', 'packages', 'write'],
    ['release.yml', 'image-index', 'packages', 'write'],
    ['release.yml', 'image-index', 'id-token', 'write'],
    ['release.yml', 'image-index', 'attestations', 'write'],
    ['release.yml', 'release', 'contents', 'write'],
    ['release.yml', 'release', 'id-token', 'write'],
    ['release.yml', 'release', 'attestations', 'write'],
    ['scorecard.yml', 'analyze', 'security-events', 'write'],
    ['scorecard.yml', 'analyze', 'id-token', 'write'],
  ]);
});

test('the tests run on the oldest Node that is promised, and on every line since', () => {
  const oldest = /\d+/.exec(own.engines.node)![0];
  const tested = workflows.get('ci.yml')!.jobs['test']!.strategy!.matrix.node!;
  expect(tested[0]).toBe(oldest);
  expect(tested).toContain('24');
});

test('a release is made of a tag, tested first, with all executables', () => {
  const { on, jobs: all } = workflows.get('release.yml')!;
  expect(on.push).toEqual({ tags: ['v*'] });
  const runs = all['check']!.steps.map(({ run }) => run);
  expect(runs).toContain('bash .ci/run');
  expect(runs).toContain('node scripts/release/notes.mjs "$GITHUB_REF_NAME"');
  expect(all['package']!.needs).toBe('check');
  const script = readFileSync('scripts/release/image.sh', 'utf8');
  const platforms = all['image']!.strategy!.matrix.platform!.map((each) => `linux/${each}`);
  expect(script).toContain(`readonly platforms=${platforms.join(',')}\n`);
  const { include } = all['executables']!.strategy!.matrix;
  expect(include!.map(({ target }) => target)).toEqual(TARGETS);
});
