import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { request } from '../support/http.js';
import { startRegistry, USER, type Registry } from '../support/registry.js';
import { startTokenServer, type TokenServerOptions } from '../support/token-server.js';

interface Document {
  readonly registry: string;
  readonly repository: string;
  readonly repositories: string[];
  readonly checks: { name: string; result: string; detail: string }[];
  readonly limits: { manifest: { accepted: number; refused: number | null } } | null;
  readonly leftovers: string[];
}

const read = ({ stdout }: CliResult): Document => JSON.parse(stdout) as Document;

const resultsOf = (result: CliResult): Record<string, string> =>
  Object.fromEntries(read(result).checks.map(({ name, result: how }) => [name, how]));

const detailOf = (result: CliResult, wanted: string): string =>
  read(result).checks.find(({ name }) => name === wanted)!.detail;

async function tags(registry: Registry, repository: string): Promise<string[]> {
  const { status, body } = await request('GET', `${registry.url}/v2/${repository}/tags/list`);
  if (status === 404) return [];
  return (JSON.parse(body.toString()) as { tags: string[] | null }).tags ?? [];
}

async function repositories(registry: Registry): Promise<string[]> {
  const { body } = await request('GET', `${registry.url}/v2/_catalog`);
  return (JSON.parse(body.toString()) as { repositories: string[] }).repositories;
}

/** What the registry of the tests (distribution 2.8) does where nothing else is said. */
const DISTRIBUTION = {
  version: 'yes',
  blobs: 'yes',
  authentication: 'not tried',
  'docker-image': 'yes',
  'oci-image': 'yes',
  'docker-list': 'yes',
  'oci-index': 'yes',
  'mixed-list': 'yes',
  'mixed-index': 'yes',
  annotations: 'yes',
  attestations: 'yes',
  'nested-index': 'yes',
  'push-by-digest': 'yes',
  'tag-moves': 'yes',
  'several-tags': 'no',
  mount: 'yes',
  referrers: 'no',
  'delete-tag': 'no',
  'delete-manifest': 'yes',
};

describe('a registry that deletes', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry();
  });

  afterAll(() => registry.stop());

  it.each([40, 60, 80, 200])('is shown in %i columns of a terminal', async (columns) => {
    const tty = { columns };
    const args = [
      'check-registry',
      `${registry.host}/team/wide`,
      '--progress',
      'none',
      '--no-color',
    ];
    const shown = await runCli(args, { tty });
    expectCode(shown, 0);
    const lines = shown.stdout.trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    const piped = (await runCli(args)).stdout.trimEnd().split('\n');
    expect(piped.filter((line) => !/^(yes|no|not tried) /.test(line))).toEqual([]);
    // What is shown is the same, in more lines: the first column of the lines between is empty.
    const words = (text: readonly string[]): string => text.join(' ').replaceAll(/\s+/g, ' ');
    if (columns < 60) expect(words(lines)).toBe(words(piped));
    expect(lines.filter((line) => /^(yes|no|not tried) /.test(line))).toHaveLength(piped.length);
    for (const line of lines) expect(line).toMatch(/^(?:yes {8}|no {9}|not tried {2}| {11})/);
  });

  it('is checked in repositories of its own, which are left empty', async () => {
    const result = await runCli(['check-registry', '--json', `${registry.host}/team/app`]);
    expectCode(result, 0);
    expect(resultsOf(result)).toEqual(DISTRIBUTION);
    const { repositories: used, leftovers, ...document } = read(result);
    expect(document).toMatchObject({
      registry: registry.host,
      repository: 'team/app',
      limits: null,
    });
    expect(leftovers).toEqual([]);
    expect(used).toHaveLength(2);
    for (const name of used) {
      expect(name).toMatch(/\/team\/app-check-[0-9a-f]{12}(-mount)?$/);
      expect(await tags(registry, name.slice(registry.host.length + 1))).toEqual([]);
      expect(result.stderr).toContain(name);
    }
    expect(await repositories(registry)).not.toContain('team/app');
    expect(detailOf(result, 'several-tags')).toMatch(/0 of 2 tags/);
    expect(detailOf(result, 'referrers')).toMatch(/404/);
  });

  it('has a table, a line a check', async () => {
    const result = await runCli(['check-registry', `${registry.host}/app`]);
    expectCode(result, 0);
    const lines = result.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(Object.keys(DISTRIBUTION).length);
    for (const line of lines) expect(line).toMatch(/^(yes|no|not tried) {2,}\S/);
    expect(result.stdout).toMatch(/^yes +OCI index$/m);
    expect(result.stdout).toMatch(/^no +deletion of a tag +status 4\d\d/m);
  });

  it('--tags-only stays inside the repository, and touches nothing else in it', async () => {
    const before = await repositories(registry);
    const image = ['--tags-only', '--json', `${registry.host}/inside`];
    const result = await runCli(['check-registry', ...image]);
    expectCode(result, 0);
    expect(result.stderr).toBe('');
    expect(resultsOf(result)).toEqual({ ...DISTRIBUTION, mount: 'not tried' });
    expect(read(result).repositories).toEqual([`${registry.host}/inside`]);
    expect(read(result).leftovers).toEqual([]);
    expect(await tags(registry, 'inside')).toEqual([]);
    const added = (await repositories(registry)).filter((name) => !before.includes(name));
    expect(added).toEqual(['inside']);
  });

  it('--limits finds how large a manifest may be', async () => {
    const result = await runCli(['check-registry', '--limits', '--json', `${registry.host}/app`]);
    expectCode(result, 0);
    const MAX = 4 * 1024 * 1024;
    expect(read(result).limits).toEqual({ manifest: { accepted: MAX, refused: MAX + 1 } });
    expect(detailOf(result, 'manifest-size')).toMatch(/4194304 .*status 4\d\d/);
    expect(read(result).leftovers).toEqual([]);
  });

  it('that is interrupted is cleaned up', async () => {
    const controller = new AbortController();
    const running = runCli(['check-registry', '--tags-only', `${registry.host}/stopped`], {
      signal: controller.signal,
    });
    await expect
      .poll(() => tags(registry, 'stopped'), { interval: 5, timeout: 20_000 })
      .not.toEqual([]);
    controller.abort();
    const result = await running;
    expectCode(result, 130);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /^manifest-tool: checking \S+\/stopped failed: it was interrupted$/m,
    );
    const left = await tags(registry, 'stopped');
    // What cannot be deleted in so short a time is named.
    for (const tag of left) expect(result.stderr).toContain(tag);
    if (left.length === 0) expect(result.stderr).not.toContain('left in');
  });
});

describe('a registry that does not delete', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await startRegistry({ delete: false });
  });

  afterAll(() => registry.stop());

  it('is told once, with all that is left', async () => {
    const result = await runCli(['check-registry', '--json', `${registry.host}/team/app`]);
    expectCode(result, 0);
    expect(resultsOf(result)).toEqual({ ...DISTRIBUTION, 'delete-manifest': 'no' });
    expect(detailOf(result, 'delete-manifest')).toMatch(/^status 405, UNSUPPORTED/);
    const { repositories: used, leftovers } = read(result);
    const name = used[0]!.slice(registry.host.length + 1);
    const left = await tags(registry, name);
    const named = leftovers.filter((each) => !each.includes('@'));
    expect(named.toSorted()).toEqual(left.map((tag) => `${used[0]!}:${tag}`).toSorted());
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(result.stderr).toMatch(/warning: left in \S+ \(status 405, UNSUPPORTED/);
    for (const tag of left) expect(result.stderr).toContain(tag);
  });
});

describe('a registry that asks for tokens', () => {
  async function checked(options: TokenServerOptions, ...args: string[]): Promise<CliResult> {
    const server = await startTokenServer(options);
    const registry = await startRegistry({ token: server });
    const folder = mkdtempSync(path.join(tmpdir(), 'check-'));
    const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
    const config = { auths: { [registry.host]: { auth } } };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    try {
      return await runCli(['check-registry', '--json', ...args, `${registry.host}/team/app`], {
        env: { DOCKER_CONFIG: folder },
      });
    } finally {
      rmSync(folder, { recursive: true });
      await Promise.all([registry.stop(), server.stop()]);
    }
  }

  it('is authenticated to', async () => {
    const result = await checked({});
    expectCode(result, 0);
    expect(resultsOf(result)).toEqual({ ...DISTRIBUTION, authentication: 'yes' });
    expect(detailOf(result, 'authentication')).toMatch(/bearer.*alice/);
    expect(read(result).leftovers).toEqual([]);
  });

  it('and gives no right to delete: that is a no, and not the end', async () => {
    const grants = (_: unknown, { actions }: { actions: readonly string[] }): string[] =>
      actions.filter((action) => action !== 'delete');
    const result = await checked({ grants }, '--tags-only');
    expectCode(result, 0);
    expect(resultsOf(result)).toMatchObject({ 'delete-manifest': 'no', 'oci-index': 'yes' });
    expect(detailOf(result, 'delete-manifest')).toMatch(/401/);
    expect(read(result).leftovers).not.toEqual([]);
  });

  it('and gives rights in one repository only: --tags-only is the way', async () => {
    const grants = (_: unknown, asked: { name: string; actions: readonly string[] }) =>
      asked.name === 'team/app' ? asked.actions : [];
    const beside = await checked({ grants });
    expectCode(beside, 4);
    expect(beside.stdout).toBe('');
    expect(beside.stderr).toMatch(/^hint: .*--tags-only/m);
    expectCode(await checked({ grants }, '--tags-only'), 0);
  });

  it('and refuses the password: not authenticated', async () => {
    const result = await checked({ users: { alice: 'another one' } });
    expectCode(result, 4);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^manifest-tool: [^\n]+ failed: [^\n]+\nhint: [^\n]+\n$/);
  });
});

describe('what is no repository of a registry', () => {
  it.each([
    ['oci-layout:///tmp/x', /is a layout, not a registry/],
    ['oci-layout://x:tag', /is a layout, not a registry/],
    ['127.0.0.1:1/app:1.0', /has a tag/],
    ['app:1.0', /has a tag/],
    [`127.0.0.1:1/app@sha256:${'0'.repeat(64)}`, /has a digest/],
    ['localhost:5000', /localhost:5000\/REPOSITORY/],
    ['127.0.0.1:1/', /not a valid repository name/],
    ['127.0.0.1:1/Team', /lower case/],
    ['https://127.0.0.1:1/app', /https/],
    [`127.0.0.1:1/${'a'.repeat(230)}`, /longer than 255/],
  ])('%s', async (argument, message) => {
    const result = await runCli(['check-registry', argument]);
    expectCode(result, 2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(message);
  });

  it('a registry that is not there is unavailable, and that is told once', async () => {
    const args = ['--retry', '1', '--retry-delay', '1ms', '127.0.0.1:1/app'];
    const result = await runCli(['check-registry', ...args]);
    expectCode(result, 5);
    expect(result.stdout).toBe('');
    expect(result.stderr.match(/^retrying/gm)).toHaveLength(1);
    expect(result.stderr.match(/^manifest-tool: /gm)).toHaveLength(1);
  });
});
