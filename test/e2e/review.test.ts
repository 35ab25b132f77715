import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Folder } from '../adversarial/support/files.js';
import { expectCode, runCli } from '../support/cli.js';
import { LayoutFolder, OCI_CONFIG, OCI_INDEX, type Entry } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

/* A dry run is a review: it shows what would change for each tag, as `diff` shows it. */

interface Side {
  readonly name: string;
  readonly image: string;
  readonly digest: string;
  readonly mediaType: string;
}

interface Changes {
  readonly tags: readonly string[];
  readonly from: Side | null;
  readonly to: Side;
  readonly added: readonly object[];
  readonly removed: readonly object[];
  readonly changed: readonly object[];
  readonly annotations: object;
  readonly leftBehind: readonly object[] | null;
}

interface Result {
  readonly dryRun: boolean;
  readonly written: boolean;
  readonly digest: string;
  readonly images: readonly object[];
  readonly targets: readonly { readonly reference: string; readonly changes: Changes[] }[];
}

const folder = new Folder();
let registry: Registry;
let layout: LayoutFolder;
/** What the tag `1` points to everywhere. */
let old: Entry;
let entries: Record<'amd64' | 'arm64' | 'i386' | 'riscv64' | 'newAmd64' | 'attestation', Entry>;

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
  const amd64 = await layout.imageFor('linux/amd64');
  entries = {
    amd64,
    arm64: await layout.imageFor('linux/arm64'),
    i386: await layout.imageFor('linux/386'),
    riscv64: await layout.imageFor('linux/riscv64'),
    newAmd64: await layout.imageFor('linux/amd64', { labels: { version: '2' } }),
    attestation: await layout.attestation(amd64, 'https://spdx.dev/Document'),
  };
  const { arm64, i386, riscv64, newAmd64, attestation } = entries;
  old = await layout.index([amd64, arm64, i386, attestation], { annotations: { version: '1' } });
  await layout.tag(old, 'old');
  for (const [tag, entry] of Object.entries({ arm64, riscv64, newAmd64, amd64 }))
    await layout.tag(entry, tag);
  await layout.tag(
    await layout.index([newAmd64, arm64, riscv64], { annotations: { version: '2' } }),
    'new',
  );
  for (const source of ['old', 'new', 'arm64', 'riscv64', 'newAmd64', 'amd64'])
    expectCode(await runCli(['copy', layout.reference(source), at(source)]), 0);
});

afterAll(async () => {
  await registry.stop();
  await layout.remove();
});

const at = (tag: string, repository = 'app'): string => `${registry.host}/${repository}:${tag}`;

/** Where tags are: in a registry, in a layout. */
const PLACES: Record<string, (name: string) => string> = {
  registry: (name) => `${registry.host}/${name}`,
  layout: (name) =>
    `oci-layout://${path.join(layout.root, '..', `${path.basename(layout.root)}-${name}`)}`,
};

/** A dry run as text and as data; what the tags point to does not change. */
async function review(args: string[], stdin = ''): Promise<{ text: string; json: Result }> {
  const text = await runCli([...args, '--dry-run'], { stdin });
  expectCode(text, 0);
  const json = await runCli([...args, '--dry-run', '--json'], { stdin });
  expectCode(json, 0);
  return { text: text.stdout, json: JSON.parse(json.stdout) as Result };
}

async function digestOf(name: string): Promise<string> {
  const result = await runCli(['digest', name]);
  expectCode(result, 0);
  return result.stdout.trim();
}

/** The lines of a difference without sizes. */
const lines = (text: string): string[] =>
  text.split('\n').map((line) => line.replace(/ {2}[\d.]+ k?B$/, ''));

describe.each(['registry', 'layout'])('a dry run in a %s', (place) => {
  /** A repository of its own whose tag `1` points to the old index. */
  async function published(name: string): Promise<string> {
    const repository = PLACES[place]!(name);
    expectCode(await runCli(['copy', at('old'), `${repository}:1`]), 0);
    return repository;
  }

  const replaced = () => [
    `~ linux/amd64`,
    `    - ${entries.amd64.digest}`,
    `    + ${entries.newAmd64.digest}`,
  ];

  it.each<[string, (repository: string) => [string[], string?]]>([
    [
      'create',
      (to) => [
        [
          'create',
          '-t',
          `${to}:1`,
          at('newAmd64'),
          at('arm64'),
          at('riscv64'),
          '--annotation',
          'version=2',
        ],
      ],
    ],
    [
      'push from-args',
      (to) => [
        [
          'push',
          '--type',
          'oci',
          'from-args',
          '--platforms',
          'linux/amd64,linux/arm64,linux/riscv64',
          '--template',
          at('new'),
          '--target',
          `${to}:1`,
          '--annotations',
          'version=2',
        ],
      ],
    ],
    [
      'push from-spec',
      (to) => [
        ['push', '--type', 'oci', 'from-spec', '-'],
        `image: ${to}:1\nannotations: { version: '2' }\nmanifests:\n${['newAmd64', 'arm64', 'riscv64'].map((tag) => `  - image: ${at(tag)}\n`).join('')}`,
      ],
    ],
    ['copy', (to) => [['copy', at('new'), `${to}:1`]]],
  ])('of %s shows what would be added, removed and changed', async (command, make) => {
    const to = await published(`replace-${command.replace(/\W/g, '-')}`);
    const [args, stdin] = make(to);
    const { text, json } = await review(args, stdin);
    expect(await digestOf(`${to}:1`)).toBe(old.digest);
    expect(json).toMatchObject({ dryRun: true, written: false });
    const expected = [
      `--- ${to}@${old.digest}`,
      `+++ ${to}@${json.digest}`,
      '~ annotation version: "1" -> "2"',
      `- linux/386  ${entries.i386.digest}`,
      `- attestation  ${entries.attestation.digest}`,
      `+ linux/riscv64  ${entries.riscv64.digest}`,
      ...replaced(),
      `tag ${to}:1 would move from ${old.digest} to ${json.digest}`,
    ];
    const shown = lines(text);
    const start = shown.indexOf(expected[0]!);
    expect(shown.slice(start, start + expected.length)).toEqual(expected);
    expect(json.targets[0]!.changes).toEqual([
      {
        tags: [`${to}:1`],
        from: {
          name: `${to}:1`,
          image: `${to}@${old.digest}`,
          digest: old.digest,
          mediaType: OCI_INDEX,
        },
        to: {
          name: `${to}:1`,
          image: `${to}@${json.digest}`,
          digest: json.digest,
          mediaType: OCI_INDEX,
        },
        added: [
          expect.objectContaining({
            platform: 'linux/riscv64',
            digest: entries.riscv64.digest,
            size: expect.any(Number) as number,
            isAttestation: false,
          }),
        ],
        removed: [
          expect.objectContaining({ platform: 'linux/386', digest: entries.i386.digest }),
          expect.objectContaining({ isAttestation: true, digest: entries.attestation.digest }),
        ],
        changed: [
          expect.objectContaining({
            platform: 'linux/amd64',
            from: expect.objectContaining({ digest: entries.amd64.digest }) as object,
            to: expect.objectContaining({ digest: entries.newAmd64.digest }) as object,
          }),
        ],
        annotations: { version: { from: '1', to: '2' } },
        leftBehind: [],
      },
    ]);
    // The same as the difference that `diff` finds once it is published.
    expectCode(await runCli(args, { ...(stdin !== undefined && { stdin }) }), 0);
    const diff = await runCli(['diff', `${to}@${old.digest}`, `${to}:1`, '--json']);
    expectCode(diff, 6);
    const { added, removed, changed, annotations } = json.targets[0]!.changes[0]!;
    expect(JSON.parse(diff.stdout)).toMatchObject({ added, removed, changed, annotations });
  });

  it.each<[string, (to: string) => string[], () => string[]]>([
    [
      'add',
      (to) => ['add', to, at('riscv64')],
      () => [`+ linux/riscv64  ${entries.riscv64.digest}`],
    ],
    [
      'add, which replaces an image',
      (to) => ['add', to, at('newAmd64')],
      () => [`- attestation  ${entries.attestation.digest}`, ...replaced()],
    ],
    [
      'remove',
      (to) => ['remove', to, '--platform', 'linux/amd64'],
      () => [
        `- linux/amd64  ${entries.amd64.digest}`,
        `- attestation  ${entries.attestation.digest}`,
      ],
    ],
    [
      'annotate',
      (to) => ['annotate', to, '--platform', 'linux/386', '--variant', 'v1', '--annotation', 'k=v'],
      () => [
        '~ linux/386 -> linux/386/v1',
        `      ${entries.i386.digest}`,
        '    + annotation k: "v"',
      ],
    ],
    [
      'annotate of the index',
      (to) => ['annotate', to, '--annotation', 'version-'],
      () => ['- annotation version: "1"'],
    ],
  ])('of %s shows the change', async (command, make, expected) => {
    const to = await published(`edit-${command.replace(/\W/g, '-')}`);
    const { text, json } = await review(make(`${to}:1`));
    expect(await digestOf(`${to}:1`)).toBe(old.digest);
    const shown = lines(text);
    const start = shown.indexOf(`--- ${to}@${old.digest}`);
    expect(shown.slice(start + 1, -2)).toEqual([
      `+++ ${to}@${json.digest}`,
      ...expected(),
      `tag ${to}:1 would move from ${old.digest} to ${json.digest}`,
    ]);
    expect(json).toMatchObject({ written: false, targets: [{ changes: [{ leftBehind: [] }] }] });
    const done = await runCli([...make(`${to}:1`), '--json']);
    expectCode(done, 0);
    const result = JSON.parse(done.stdout) as Result;
    expect(result).toMatchObject({ digest: json.digest, written: true });
    const planned = json.targets[0]!.changes[0]!;
    const sizeless = (each: object): object =>
      JSON.parse(
        JSON.stringify(each, (key, value: unknown) => (key === 'size' ? null : value)),
      ) as object;
    expect(result.targets[0]!.changes).toEqual([{ ...sizeless(planned), leftBehind: null }]);
  });

  it('says that a tag is new, and shows each tag that differs', async () => {
    const to = await published('tags');
    expectCode(await runCli(['copy', at('new'), `${to}:2`, `${to}:3`]), 0);
    const { text, json } = await review([
      'copy',
      at('new'),
      `${to}:1`,
      '-t',
      '2',
      '-t',
      '4',
      '-t',
      '5',
    ]);
    expect(text).toContain(`tag ${to}:2 points to ${json.digest} already\n`);
    for (const tag of ['4', '5'])
      expect(text).toContain(`tag ${to}:${tag} is new, and would point to ${json.digest}\n`);
    expect(text).toMatch(/^--- nothing\n\+\+\+ /m);
    expect(json.targets[0]!.changes).toMatchObject([
      { tags: [`${to}:1`], from: { digest: old.digest } },
      { tags: [`${to}:4`, `${to}:5`], from: null, removed: [], changed: [], leftBehind: [] },
    ]);
    const { added } = json.targets[0]!.changes[1]!;
    expect(added.map((entry) => (entry as { platform: string }).platform)).toEqual([
      'linux/amd64',
      'linux/arm64',
      'linux/riscv64',
    ]);
  });

  it('names referrers and tags of cosign that would be left behind', async () => {
    const to = await published('left');
    const config = await layout.blob(OCI_CONFIG, {});
    const sign = async (subject: Entry, tag: string): Promise<Entry> => {
      const { mediaType, digest, size } = subject;
      const signature = await layout.manifest(config, [], {
        artifactType: 'application/vnd.example.signature',
        subject: { mediaType, digest, size },
      });
      await layout.tag(signature, `signature-${place}-${tag}`);
      const name = layout.reference(`signature-${place}-${tag}`);
      expectCode(await runCli(['copy', name, `${to}:${tag}`]), 0);
      return signature;
    };
    const ofRoot = await sign(old, 'of-root');
    const ofI386 = await sign(entries.i386, 'of-386');
    await sign(entries.arm64, 'of-arm64');
    const tag = `sha256-${entries.amd64.digest.slice('sha256:'.length)}.sig`;
    expectCode(await runCli(['copy', at('arm64'), `${to}:${tag}`]), 0);
    const { text, json } = await review(['copy', at('new'), `${to}:1`]);
    expect(text.split('\n').filter((line) => line.startsWith('! '))).toEqual([
      `! referrer ${ofRoot.digest} (application/vnd.example.signature, refers to ${old.digest}) would be left behind`,
      expect.stringMatching(
        new RegExp(
          `^! tag ${tag} \\(.*refers to linux/amd64 ${entries.amd64.digest}\\) would be left behind$`,
        ),
      ),
      `! referrer ${ofI386.digest} (application/vnd.example.signature, refers to linux/386 ${entries.i386.digest}) would be left behind`,
    ]);
    expect(json.targets[0]!.changes[0]!.leftBehind).toEqual([
      {
        digest: ofRoot.digest,
        artifactType: 'application/vnd.example.signature',
        tag: null,
        subject: old.digest,
        platform: null,
      },
      expect.objectContaining({ digest: entries.arm64.digest, tag, subject: entries.amd64.digest }),
      expect.objectContaining({
        digest: ofI386.digest,
        subject: entries.i386.digest,
        platform: 'linux/386',
      }),
    ]);
  });

  it('calls a nested index an index', async () => {
    const to = PLACES[place]!('nested');
    const inner = await layout.index([entries.arm64, entries.i386]);
    await layout.tag(await layout.index([entries.amd64, inner]), `nested-${place}`);
    const { text, json } = await review(['copy', layout.reference(`nested-${place}`), `${to}:1`]);
    expect(text).toContain(`\nindex ${inner.digest} would be copied from `);
    expect(text).not.toContain('without platform');
    expect(json.images).toContainEqual(
      expect.objectContaining({ digest: inner.digest, mediaType: OCI_INDEX, platform: null }),
    );
    const { added } = json.targets[0]!.changes[0]!;
    expect(added.map((entry) => (entry as { platform: string }).platform)).toEqual([
      'linux/amd64',
      'linux/arm64',
      'linux/386',
    ]);
  });
});

describe('a dry run', () => {
  it('of a spec with several targets shows each of them', async () => {
    const layoutName = `oci-layout://${folder.directory()}/out`;
    const archive = `oci-archive://${folder.directory()}/out.tar`;
    const targets = [at('1', 'several/a'), at('1', 'several/b'), `${layoutName}:1`, `${archive}:1`];
    for (const target of targets.slice(1)) expectCode(await runCli(['copy', at('old'), target]), 0);
    const spec = `image: ${targets[0]!}\nmanifests:\n  - image: ${at('newAmd64')}\n`;
    const args = ['push', '--type', 'oci', 'from-spec', '-'];
    const { text, json } = await review(
      [...args, ...targets.slice(1).flatMap((name) => ['-t', name])],
      spec,
    );
    const froms = json.targets.map(({ reference, changes }) => [
      reference,
      changes[0]!.from?.digest,
    ]);
    expect(froms).toEqual([
      [targets[0], undefined],
      ...targets.slice(1).map((name) => [name, old.digest]),
    ]);
    expect(text).toContain(`tag ${targets[0]!} is new, and would point to ${json.digest}\n`);
    for (const target of targets.slice(1))
      expect(text).toContain(`tag ${target} would move from ${old.digest} to ${json.digest}\n`);
  });

  it('of several specs shows each of them', async () => {
    const spec = (tag: string): string =>
      `image: ${at(tag, 'specs')}\nmanifests:\n  - image: ${at('newAmd64')}\n`;
    expectCode(await runCli(['copy', at('old'), at('b', 'specs')]), 0);
    const args = ['push', '--type', 'oci', 'from-spec', '-', '--dry-run'];
    const stdin = `${spec('a')}---\n${spec('b')}`;
    const text = await runCli(args, { stdin });
    expectCode(text, 0);
    expect(text.stdout).toMatch(/^tag \S+\/specs:a is new, /m);
    expect(text.stdout).toMatch(/^~ linux\/amd64$/m);
    expect(text.stdout).toMatch(/^tag \S+\/specs:b would move from /m);
    expect(text.stdout.match(/^Digest: /gm)).toHaveLength(2);
  });

  it('of several tags shows what would change for those that exist', async () => {
    const to = `${registry.host}/tags-of`;
    expectCode(await runCli(['copy', at('old'), `${to}:new`, '-t', 'amd64']), 0);
    const args = ['copy', `${registry.host}/app:new,amd64,arm64`, to];
    const { text, json } = await review(args);
    expect(json.written).toBe(false);
    expect(json.targets.map(({ changes }) => changes)).toMatchObject([
      [
        {
          tags: [`${to}:new`],
          from: { digest: old.digest },
          changed: [{ platform: 'linux/amd64' }],
        },
      ],
      [{ tags: [`${to}:amd64`], from: { digest: old.digest }, removed: [{}, {}, {}] }],
      [{ tags: [`${to}:arm64`], from: null, added: [{ platform: 'linux/arm64' }] }],
    ]);
    expect(text.match(/^--- /gm)).toHaveLength(2);
    expect(text).toMatch(/^~ linux\/amd64$/m);
  });

  it('of a single image to a tag of an index compares the image with it', async () => {
    const to = at('1', 'single');
    expectCode(await runCli(['copy', at('old'), to]), 0);
    const { text, json } = await review(['copy', at('newAmd64'), to]);
    expect(text).toContain('~ media type: ');
    expect(json.targets[0]!.changes).toMatchObject([
      { added: [], changed: [{ platform: 'linux/amd64' }], removed: [{}, {}, {}] },
    ]);
  });

  it('of artifacts without platform that are new reads them from their source', async () => {
    const artifact = await layout.manifest(
      await layout.blob('application/vnd.example+json', {}),
      [],
      {
        artifactType: 'application/vnd.example',
      },
    );
    await layout.tag(artifact, 'artifact');
    const to = at('1', 'artifacts');
    expectCode(await runCli(['copy', at('old'), to]), 0);
    const { text } = await review(['add', to, layout.reference('artifact')]);
    expect(text).toContain(`+ no platform  ${artifact.digest}`);
    expect(text).toContain(`manifest without platform ${artifact.digest} would be copied`);
  });

  it('shows a tag whose old index is damaged as far as it can', async () => {
    const to = `oci-layout://${layout.root}`;
    const lost = await layout.imageFor('linux/s390x');
    await layout.tag(await layout.index([lost, entries.amd64]), 'damaged');
    await layout.remove(lost);
    const { text, json } = await review(['copy', at('new'), `${to}:damaged`]);
    expect(text).toContain(`- linux/s390x  ${lost.digest}\n`);
    expect(json.targets[0]!.changes[0]!.removed[0]).toMatchObject({ size: null });
  });
});
