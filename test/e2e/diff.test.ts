import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatSize } from '../../src/text.js';
import { expectCode, runCli } from '../support/cli.js';
import { LAYER, LayoutFolder, type Entry } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

/** Runs diff; the message of a difference is one line and a hint. */
async function diff(code: 0 | 6, ...args: string[]): Promise<string> {
  const result = await runCli(['diff', ...args]);
  expectCode(result, code);
  if (code === 6)
    expect(result.stderr).toMatch(/^manifest-tool: comparing .*they are different.*\nhint: /);
  return result.stdout;
}

let registry: Registry;
let layout: LayoutFolder;
let old: { amd64: Entry; arm64: Entry; i386: Entry; attestation: Entry; index: Entry };
let now: { amd64: Entry; arm64: Entry; riscv64: Entry; attestation: Entry; index: Entry };

const config = (version: string, more: object = {}) => ({
  architecture: 'amd64',
  os: 'linux',
  created: '2020-01-01T00:00:00Z',
  config: {
    Env: ['PATH=/bin', `VERSION=${version}`, 'SPLIT=a=b'],
    Labels: { version, kept: 'yes' },
    Entrypoint: ['/app'],
    ...more,
  },
  history: [{ created_by: version }],
});

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
  const platform = { os: 'linux', architecture: 'amd64' };
  const amd64 = async (version: string, layer: string, more?: object): Promise<Entry> => {
    const entry = await layout.image(config(version, more), [await layout.blob(LAYER, layer)]);
    return { ...entry, platform };
  };
  const arm64 = await layout.imageFor('linux/arm64');
  const i386 = await layout.imageFor('linux/386');
  const riscv64 = await layout.imageFor('linux/riscv64');
  const before = await amd64('1', 'one');
  const after = await amd64('2', 'longer', { Entrypoint: ['/app', '-v'], User: 'app' });
  const attestations = [
    await layout.attestation(before, 'a'),
    await layout.attestation(after, 'b'),
  ];
  const annotated = { ...arm64, annotations: { note: 'new' } };
  old = {
    amd64: before,
    arm64,
    i386,
    attestation: attestations[0]!,
    index: await layout.index([before, arm64, i386, attestations[0]!], {
      annotations: { version: '1', gone: 'x' },
    }),
  };
  now = {
    amd64: after,
    arm64: annotated,
    riscv64,
    attestation: attestations[1]!,
    index: await layout.index([annotated, after, riscv64, attestations[1]!], {
      annotations: { version: '2' },
    }),
  };
  await layout.tag(old.index, 'old');
  await layout.tag(now.index, 'new');
  await layout.tag(old.amd64, 'old-amd64');
  for (const tag of ['old', 'new', 'old-amd64'])
    expectCode(await runCli(['copy', layout.reference(tag), `${registry.host}/app:${tag}`]), 0);
});

afterAll(async () => {
  await registry.stop();
  await layout.remove();
});

/** The size of a manifest with its config and layers. */
async function total(entry: Entry): Promise<number> {
  const { config: own, layers } = JSON.parse(await readFile(layout.fileOf(entry), 'utf8')) as {
    config: Entry;
    layers: Entry[];
  };
  return [entry, own, ...layers].reduce((sum, { size }) => sum + size, 0);
}

describe('diff', () => {
  it('finds nothing between copies, in every pair of places', async () => {
    const archive = `oci-archive://${path.join(layout.root, 'old.tar')}:old`;
    expectCode(await runCli(['copy', layout.reference('old'), archive]), 0);
    const remote = `${registry.host}/app`;
    expect(await diff(0, `${remote}:old`, `${remote}@${old.index.digest}`)).toBe(
      `no differences: ${remote}@${old.index.digest}\n`,
    );
    const both = await diff(0, layout.reference('old'), archive);
    expect(both).toMatch(/^no differences: oci-layout:\S+@sha256:\S+ and oci-archive:\S+@sha256:/);
    const json = JSON.parse(await diff(0, '--json', archive, `${remote}:old`)) as object;
    expect(json).toMatchObject({ equal: true, added: [], removed: [], changed: [] });
  });

  it('shows what was added, removed and changed, with whole digests', async () => {
    const [a, b] = [`${registry.host}/app`, `oci-layout://${layout.root}`];
    const shown = await diff(6, `${a}:old`, `${b}:new`);
    expect(shown.split('\n').map((line) => line.replace(/ {2}[\d.]+ k?B$/, ''))).toEqual([
      `--- ${a}@${old.index.digest}`,
      `+++ ${b}@${now.index.digest}`,
      '~ annotation version: "1" -> "2"',
      '- annotation gone: "x"',
      `- linux/386  ${old.i386.digest}`,
      `+ linux/riscv64  ${now.riscv64.digest}`,
      '~ linux/amd64',
      `    - ${old.amd64.digest}`,
      `    + ${now.amd64.digest}`,
      '~ linux/arm64',
      `      ${now.arm64.digest}`,
      '    + annotation note: "new"',
      '~ attestation',
      `    - ${old.attestation.digest}`,
      `    + ${now.attestation.digest}`,
      `    ~ annotation vnd.docker.reference.digest: "${old.amd64.digest}" -> "${now.amd64.digest}"`,
      '',
    ]);
    expect(shown).toContain(`${old.i386.digest}  ${formatSize(await total(old.i386))}\n`);
  });

  it('is a document with sizes', async () => {
    const json = await diff(6, '--json', layout.reference('old'), `${registry.host}/app:new`);
    const document = JSON.parse(json) as Record<string, unknown>;
    const entry = async (platform: string, of: Entry, isAttestation = false) => ({
      platform,
      digest: of.digest,
      size: await total(of),
      isAttestation,
    });
    expect(document).toMatchObject({
      equal: false,
      from: { name: layout.reference('old'), digest: old.index.digest },
      to: {
        name: `${registry.host}/app:new`,
        image: `${registry.host}/app@${now.index.digest}`,
        digest: now.index.digest,
      },
      added: [await entry('linux/riscv64', now.riscv64)],
      removed: [await entry('linux/386', old.i386)],
      annotations: { version: { from: '1', to: '2' }, gone: { from: 'x', to: null } },
      changed: [
        {
          platform: 'linux/amd64',
          from: await entry('linux/amd64', old.amd64),
          to: await entry('linux/amd64', now.amd64),
          config: null,
        },
        { platform: 'linux/arm64', annotations: { note: { from: null, to: 'new' } } },
        { isAttestation: true },
      ],
    });
  });

  it('shows what changed in the configs', async () => {
    const args = [layout.reference('old'), `${registry.host}/app:new`];
    const { changed } = JSON.parse(await diff(6, '--config', '--json', ...args)) as {
      changed: { config: unknown }[];
    };
    expect(changed[0]!.config).toEqual({
      'config.Env.VERSION': { from: '1', to: '2' },
      'config.Labels.version': { from: '1', to: '2' },
      'config.Entrypoint': { from: '["/app"]', to: '["/app","-v"]' },
      'config.User': { from: null, to: 'app' },
    });
    expect(changed.slice(1).map((change) => change.config)).toEqual([null, null]);
    expect(await diff(6, '--config', ...args)).toContain(
      '    ~ config.Env.VERSION: "1" -> "2"\n' +
        '    ~ config.Labels.version: "1" -> "2"\n' +
        '    ~ config.Entrypoint: "[\\"/app\\"]" -> "[\\"/app\\",\\"-v\\"]"\n' +
        '    + config.User: "app"\n',
    );
  });

  it('compares a single image with an index', async () => {
    const text = await diff(6, `${registry.host}/app:old-amd64`, layout.reference('old'));
    expect(text).toContain('~ media type: "application/vnd.oci.image.manifest.v1+json" -> ');
    expect(text).toContain(`+ linux/arm64  ${old.arm64.digest}`);
    expect(text).not.toContain('linux/amd64');
  });

  it('says so if only the order of the entries differs', async () => {
    const { amd64, arm64 } = old;
    await layout.tag(await layout.index([amd64, arm64]), 'ab');
    await layout.tag(await layout.index([arm64, amd64]), 'ba');
    expect(await diff(6, layout.reference('ab'), layout.reference('ba'))).toMatch(
      /\nthe same entries in another order or form\n$/,
    );
  });

  it('pairs entries that name one manifest, and looks into indexes inside an index', async () => {
    const { amd64, arm64 } = old;
    const v = (variant: string) => ({
      ...amd64,
      platform: { os: 'linux', architecture: 'amd64', variant },
    });
    await layout.tag(await layout.index([amd64, v('v2'), arm64]), 'twins');
    const inner = await layout.index([arm64]);
    await layout.tag(await layout.index([v('v3'), amd64, inner]), 'others');
    const text = await diff(6, layout.reference('twins'), layout.reference('others'));
    expect(text.split('\n').slice(2)).toEqual([
      '~ linux/amd64/v2 -> linux/amd64/v3',
      `      ${amd64.digest}`,
      '',
    ]);
  });

  it.each<[string, string[], number, RegExp]>([
    ['a missing tag', ['{R}/app:old', '{R}/app:none'], 3, /reading .*app:none failed: /],
    ['one reference', ['{R}/app:old'], 2, /\nhint: /],
    ['a malformed reference', ['{R}/app:old', '{R}/APP:x'], 2, /reading image reference/],
  ])('refuses %s with one line and a hint', async (_, args, code, says) => {
    const result = await runCli([
      'diff',
      ...args.map((word) => word.replace('{R}', registry.host)),
    ]);
    expectCode(result, code);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(says);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(2);
  });
});
