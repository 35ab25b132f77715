import { existsSync, readFileSync, readdirSync } from 'node:fs';
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
  const words = line.replace(/^sudo /, '').split(' ');
  const [command, first = ''] = words;
  if (command === 'make') return words.slice(1).every((word) => makeTargets.has(word));
  if (command === 'node' || command === 'bash') return existsSync(first);
  if (command === 'npm' && first === 'run')
    return words[2] !== undefined && words[2] in own.scripts;
  return (
    ['npm ci', 'npm pack', 'npm publish', 'gh release'].includes(`${command} ${first}`) ||
    command === 'tar'
  );
}

const jobs = [...workflows].flatMap(([name, { jobs: all }]) =>
  Object.entries(all).map(([job, content]) => ({ name: `${name} ${job}`, content, all })),
);

describe.each(jobs)('$name', ({ content, all }) => {
  test('runs only what is there', () => {
    const lines = content.steps.flatMap(({ run }) => run?.trim().split('\n') ?? []);
    expect(lines.filter((line) => !isKnown(line))).toEqual([]);
  });

  test('pins its actions by major version or commit', () => {
    const used = content.steps.flatMap(({ uses }) => uses ?? []);
    expect(used.filter((each) => !/^[\w-]+\/[\w/-]+@(v\d+|[0-9a-f]{40})$/.test(each))).toEqual([]);
  });

  test('has an end, needs jobs that exist, and leaves no token behind', () => {
    expect(content['timeout-minutes']).toBeGreaterThan(0);
    expect([content.needs ?? []].flat().filter((need) => !(need in all))).toEqual([]);
    const checkouts = content.steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const each of checkouts) expect(each.with).toMatchObject({ 'persist-credentials': false });
  });
});

test('nothing may write but what has to', () => {
  const writes = [...workflows].flatMap(([name, { permissions, jobs: all }]) => [
    ...Object.entries(permissions).map((each) => [name, '*', ...each]),
    ...Object.entries(all).flatMap(([job, each]) =>
      Object.entries(each.permissions ?? {}).map((one) => [name, job, ...one]),
    ),
  ]);
  expect(writes.filter(([, , , access]) => access !== 'read')).toEqual([
    ['release.yml', 'publish', 'id-token', 'write'],
    ['release.yml', 'release', 'contents', 'write'],
    ['release.yml', 'release', 'id-token', 'write'],
    ['release.yml', 'release', 'attestations', 'write'],
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
  const { include } = all['executables']!.strategy!.matrix;
  expect(include!.map(({ target }) => target)).toEqual(TARGETS);
});
