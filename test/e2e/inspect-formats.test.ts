import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, type RunOptions } from '../support/cli.js';
import { LAYER, LayoutFolder, OCI_INDEX, OCI_MANIFEST, type Entry } from '../support/layout.js';

const EVIL = '\u001b]0;evil\u0007\u009b31m\u202e\r\n\u2028漢😀';

let layout: LayoutFolder;
let made: Awaited<ReturnType<typeof makeImages>>;

/** A list with two images that share a layer, an attestation, a list in it, and an entry of another kind. */
async function makeImages() {
  const shared = await layout.blob(LAYER, 'shared layer');
  const config = (architecture: string, more: object = {}): object => ({
    architecture,
    os: 'linux',
    config: { Labels: { note: EVIL } },
    ...more,
  });
  const amd64 = await layout.image(
    `{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","x":1.50e+3}`,
    [shared, await layout.blob(LAYER, 'amd64')],
    { annotations: { own: 'annotation' } },
  );
  const arm = await layout.image(config('arm64', { variant: 'v8' }), [
    shared,
    await layout.blob(LAYER, 'arm64'),
    shared,
  ]);
  const s390x = await layout.image(config('s390x'), [shared]);
  const predicates = ['https://slsa.dev/provenance/v0.2', 'https://spdx.dev/Document'];
  const statements = await Promise.all(
    predicates.map(async (type) => ({
      ...(await layout.blob('application/vnd.in-toto+json', { predicateType: type })),
      annotations: { 'in-toto.io/predicate-type': type },
    })),
  );
  const attestation = await layout.image({ architecture: 'unknown', os: 'unknown' }, statements);
  const inner = await layout.index([s390x]);
  const other = await layout.blob('text/plain', 'neither image nor list');
  const list = await layout.index(
    [
      {
        ...amd64,
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: { 'org.example.note': EVIL },
      },
      { ...arm, platform: { architecture: 'arm64', os: 'linux', variant: 'v8' } },
      {
        ...attestation,
        platform: { architecture: 'unknown', os: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': amd64.digest,
        },
      },
      inner,
      other,
    ],
    { annotations: { title: EVIL } },
  );
  const referrer = await layout.image({}, [], {
    artifactType: 'application/spdx+json',
    subject: plain(list),
    annotations: { by: EVIL },
  });
  const entryReferrer = await layout.image({}, [], {
    artifactType: 'application/x-signature',
    subject: plain(amd64),
  });
  await layout.tag(list, 'latest');
  await layout.tag(amd64, 'amd64');
  await layout.tag(referrer);
  await layout.tag(entryReferrer);
  await layout.tag(await layout.index([amd64]), 'one');
  return {
    list,
    amd64,
    arm,
    s390x,
    attestation,
    inner,
    other,
    shared,
    referrer,
    entryReferrer,
    predicates,
  };
}

const plain = ({ mediaType, digest, size }: Entry): Entry => ({ mediaType, digest, size });

beforeAll(async () => {
  layout = await LayoutFolder.make();
  made = await makeImages();
});

afterAll(() => layout.remove());

const inspect = (args: readonly string[], tag = 'latest', options: RunOptions = {}) =>
  runCli(['inspect', ...args, layout.reference(tag)], options);

async function output(
  args: readonly string[],
  tag?: string,
  options?: RunOptions,
): Promise<string> {
  const result = await inspect(args, tag, options);
  expectCode(result, 0);
  return result.stdout;
}

interface Document {
  readonly kind: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations: Record<string, string>;
  readonly platforms: string[];
  readonly totals: Record<string, number>;
  readonly entries: Document[];
  readonly config: Entry & { content: Record<string, unknown> | null };
  readonly layers: Entry[];
  readonly attestations: object[];
  readonly attestation: object;
  readonly referrers?: Entry[];
}

const json = async (args: readonly string[] = [], tag?: string): Promise<Document> =>
  JSON.parse(await output(['--format', 'json', ...args], tag)) as Document;

describe('--format json', () => {
  it('has the list, its annotations and its platforms, those of a list in it as well', async () => {
    const document = await json();
    expect(document).toMatchObject({
      name: layout.reference('latest'),
      kind: 'list',
      ...plain(made.list),
      annotations: { title: EVIL },
      platforms: ['linux/amd64', 'linux/arm64/v8', 'linux/s390x'],
    });
    const kinds = document.entries.map(({ kind, digest }) => [kind, digest]);
    expect(kinds).toEqual([
      ['image', made.amd64.digest],
      ['image', made.arm.digest],
      ['attestation', made.attestation.digest],
      ['list', made.inner.digest],
      ['other', made.other.digest],
    ]);
  });

  it('has of an image its platform, annotations, configuration, layers and sizes', async () => {
    const [image] = (await json()).entries;
    expect(image).toMatchObject({
      ...plain(made.amd64),
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { 'org.example.note': EVIL },
      manifestAnnotations: { own: 'annotation' },
      config: { ...made.amd64.config, content: { created: '2024-01-01T00:00:00Z', x: 1500 } },
      layers: [{ ...made.shared }, { size: 'amd64'.length }],
      totals: {
        manifests: made.amd64.size,
        configs: made.amd64.config.size,
        layers: made.shared.size + 5,
        total: made.amd64.size + made.amd64.config.size + made.shared.size + 5,
      },
    });
  });

  it('keeps numbers as they are written', async () => {
    expect(await output(['--format', 'json'])).toContain('"x": 1.50e+3');
  });

  it('counts what is there twice once: in an image, and over the list', async () => {
    const { totals, entries } = await json();
    expect(entries[1]!.totals['layers']).toBe(made.shared.size + 5);
    const statements = entries[2]!.layers.reduce((sum, { size }) => sum + size, 0);
    expect(totals['layers']).toBe(made.shared.size + 5 + 5 + statements);
    const images = [made.amd64, made.arm, made.attestation, made.s390x];
    expect(totals['manifests']).toBe(
      [...images, made.list, made.inner, made.other].reduce((sum, { size }) => sum + size, 0),
    );
    expect(totals['configs']).toBe(images.reduce((sum, { config }) => sum + config.size, 0));
    const { manifests = 0, configs = 0, layers = 0, total } = totals;
    expect(total).toBe(manifests + configs + layers);
  });

  it('has attestations with their subject and the types of their predicates', async () => {
    const { digest, size } = made.attestation;
    const attestation = {
      digest,
      size,
      subject: made.amd64.digest,
      predicateTypes: made.predicates,
    };
    const document = await json();
    expect(document.attestations).toEqual([attestation]);
    expect(document.entries.map(({ attestations }) => attestations)).toEqual([
      [attestation],
      [],
      undefined,
      [],
      undefined,
    ]);
    expect(document.entries[2]!.attestation).toEqual(attestation);
    expect((await json(['--platform', 'linux/amd64'])).attestations).toEqual([attestation]);
  });

  it('is one document of one image, with and without a platform', async () => {
    const picked = await json(['--platform', 'linux/arm64']);
    expect(picked).toMatchObject({ kind: 'image', digest: made.arm.digest, annotations: {} });
    const single = await json([], 'amd64');
    expect(single).toMatchObject({
      digest: made.amd64.digest,
      platform: { architecture: 'amd64', os: 'linux' },
      annotations: { own: 'annotation' },
    });
  });

  it('has what refers to the list and to each entry, where it is asked for', async () => {
    const document = await json(['--referrers']);
    expect(document.referrers).toMatchObject([
      { ...plain(made.referrer), artifactType: 'application/spdx+json', annotations: { by: EVIL } },
    ]);
    expect(document.entries.map(({ referrers }) => referrers?.map(({ digest }) => digest))).toEqual(
      [[made.entryReferrer.digest], [], [], [], []],
    );
    expect((await json()).referrers).toBeUndefined();
  });

  it('has nothing in it that acts on a terminal, also when it is piped', async () => {
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(await output(['--format', 'json', '--referrers'])).not.toMatch(/[^\n -~漢😀]/u);
  });

  it('has the members that its documentation has, and no others', async () => {
    const page = readFileSync(
      fileURLToPath(new URL('../../docs/reference/json.md', import.meta.url)),
      'utf8',
    );
    const section = page.slice(0, page.indexOf('\n## Entries and differences'));
    const documented = [...section.matchAll(/^\| `([A-Za-z.]+)` \|/gm)].map(([, name]) => name!);
    const seen = new Set<string>();
    const visit = (document: object): void => {
      for (const [key, value] of Object.entries(document)) {
        seen.add(key);
        if (key === 'entries') for (const entry of value as object[]) visit(entry);
        if (/^(config|totals|attestation)$/.test(key)) {
          for (const inner of Object.keys(value as object)) seen.add(`${key}.${inner}`);
        }
      }
    };
    visit(await json(['--referrers']));
    expect([...documented].sort()).toEqual([...seen].sort());
  });
});

describe('--platform', () => {
  it('picks one entry in every form, as if its digest were named', async () => {
    // A table cuts a name that is too long.
    const unnamed = (text: string, name: string): string =>
      text.replaceAll(name, 'NAME').replace(/^(Name: +)\S+…$/m, '$1NAME');
    const byDigest = async (args: readonly string[]): Promise<string> => {
      const name = `oci-layout://${layout.root}@${made.arm.digest}`;
      return unnamed((await runCli(['inspect', ...args, name])).stdout, name);
    };
    const picked = async (args: readonly string[]): Promise<string> => {
      const text = await output([...args, '--platform', 'linux/arm64/v8']);
      // The table has the reference of the entry as well.
      const pinned = `oci-layout://${layout.root}@${made.arm.digest}`;
      return unnamed(unnamed(text, layout.reference('latest')), pinned);
    };
    for (const args of [
      [],
      ['--raw'],
      ['--raw', '--expand-config'],
      ['--format', 'raw'],
      ['--format', 'docker'],
      ['--format', 'table'],
      ['--config'],
    ]) {
      expect(await picked(args)).toBe(await byDigest(args));
    }
    const verbose = await picked(['--format', 'docker-verbose']);
    const all = JSON.parse(await output(['--format', 'docker-verbose'])) as object[];
    expect(JSON.parse(verbose.replace('NAME', layout.reference('latest')))).toEqual(all[1]);
  });

  it.each<[string, string, string, RegExp]>([
    ['latest', 'linux/386', '3', /it has linux\/amd64, linux\/arm64\/v8, sha256:/],
    ['amd64', 'linux/arm64', '3', /it is a single image, for linux\/amd64/],
    ['latest', 'linux/amd64,linux/arm64', '2', /has 2 platforms/],
    ['latest', 'linux/amd46', '2', /did you mean amd64/],
  ])('of %s for %s ends with %s', async (tag, platform, code, says) => {
    const result = await inspect(['--platform', platform], tag);
    expectCode(result, Number(code));
    expect(result.stderr).toMatch(says);
    expect(result.stdout).toBe('');
  });

  it('of one image has to be what its configuration says', async () => {
    expect(await output(['--platform', 'linux/amd64'], 'amd64')).toBe(await output([], 'amd64'));
  });
});

describe('--config', () => {
  const TEXT = '{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","x":1.50e+3}';

  it('is in lines, with its members as they are written', async () => {
    const lines =
      '{\n  "architecture": "amd64",\n  "os": "linux",\n  "created": "2024-01-01T00:00:00Z",\n  "x": 1.50e+3\n}\n';
    expect(await output(['--config'], 'amd64')).toBe(lines);
    expect(await output(['--config', '--platform', 'linux/amd64'])).toBe(lines);
    expect(await output(['--config', '--format', 'json'], 'one')).toBe(lines);
  });

  it('is the bytes of the registry with --format raw, and with --raw', async () => {
    expect(await output(['--config', '--format', 'raw'], 'amd64')).toBe(TEXT);
    expect(await output(['--config', '--raw', '--platform', 'linux/amd64'], 'amd64')).toBe(TEXT);
  });

  it('of a list of several images needs to know which one', async () => {
    const result = await inspect(['--config']);
    expectCode(result, 2);
    expect(result.stderr).toMatch(/it is an index, of linux\/amd64, linux\/arm64\/v8, sha256:/);
    expect(result.stderr).toMatch(/hint: pass --platform/);
  });
});

describe('--format table', () => {
  /** All but references and commands to copy, which are never cut. */
  const cutLines = (text: string): string[] =>
    text.split('\n').filter((line) => !/^(?:Image: |Full digests: )/.test(line));

  it('has a line a platform, with size and digest', async () => {
    const text = await output(['--format', 'table']);
    const [amd64, arm, s390x] = ['linux/amd64', 'linux/arm64/v8', '  linux/s390x'].map((name) =>
      text.split('\n').find((line) => line.startsWith(`${name} `)),
    );
    expect(amd64).toMatch(new RegExp(`\\d+ B +2  ${made.amd64.digest.slice(0, 19)}`));
    expect(arm).toMatch(new RegExp(`\\d+ B +3  ${made.arm.digest.slice(0, 19)}`));
    expect(s390x).toMatch(new RegExp(`\\d+ B +1  ${made.s390x.digest.slice(0, 19)}`));
    expect(text).toContain(`Digest: ${made.list.digest}\n`);
    expect(text).toContain(`  attestation`);
    expect(text).toContain(`      ${made.predicates[0]!}\n      ${made.predicates[1]!}\n`);
    expect(text).toMatch(/^no platform .*\n {4}text\/plain$/m);
  });

  it('fits in 80 columns where there is no terminal, and shows nothing that acts', async () => {
    const text = await output(['--format', 'table', '--referrers']);
    for (const line of cutLines(text)) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).not.toMatch(/[^\n -~漢😀…]/u);
    expect(text).toContain('title=\\u001b]0;evil\\u0007');
    expect(text).toContain('org.example.note=\\u001b]0;');
    expect(text).toContain('Referrers: 1\n');
  });

  it.each([50, 80, 100, 200])(
    'fits in a terminal of %i columns, and uses them',
    async (columns) => {
      const env = { NO_COLOR: '1' };
      const text = await output(['--format', 'table'], 'latest', { tty: { columns }, env });
      const widest = Math.max(...cutLines(text).map((line) => line.length));
      expect(widest).toBeLessThanOrEqual(columns);
      expect(text.includes(made.amd64.digest)).toBe(columns > 100);
      if (columns <= 100) expect(widest).toBe(columns);
    },
  );

  it.each([25, 30, 36, 40])(
    'tells platforms apart in %i columns, with what there is room for beside them',
    async (columns) => {
      const env = { NO_COLOR: '1' };
      const text = await output(['--format', 'table'], 'latest', { tty: { columns }, env });
      for (const line of cutLines(text)) expect(line.length).toBeLessThanOrEqual(columns);
      expect(text).toMatch(/^linux\/arm64\/v8 +\d+ B/m);
      expect(text).not.toContain('DIGEST');
      expect(text).not.toContain('LAYERS');
    },
  );

  it('has colours on a terminal that take no columns, and none with NO_COLOR', async () => {
    const tty = { columns: 80 };
    const coloured = await output(['--format', 'table'], 'latest', { tty });
    const bare = await output(['--format', 'table'], 'latest', { tty, env: { NO_COLOR: '1' } });
    expect(coloured).toContain('\u001b[1m');
    // oxlint-disable-next-line no-control-regex -- our own colours
    expect(coloured.replaceAll(/\u001b\[[0-9;]*m/g, '')).toBe(bare);
  });
});

describe('--referrers', () => {
  it('lists what refers to it below what is shown otherwise', async () => {
    const [text, without] = await Promise.all([output(['--referrers']), output([])]);
    expect(text).toBe(
      `${without}Referrers: 1\n * ${made.referrer.digest}\n    Type: application/spdx+json\n` +
        `    Size: ${made.referrer.size}\n` +
        '      by=\\u001b]0;evil\\u0007\\u009b31m\\u202e\\u000d\\u000a\\u2028漢😀\n',
    );
    expect(await output(['--referrers', '--platform', 'linux/arm64'])).toMatch(/Referrers: 0\n$/);
    expect(await output(['--referrers', '--platform', 'linux/amd64'])).toContain(
      made.entryReferrer.digest,
    );
  });
});

describe('--format raw', () => {
  it('is the bytes of the registry, and on a terminal the same JSON that does not act', async () => {
    const annotations = { a: '\u009b31m\u202e<' };
    const text = `{"schemaVersion":2,\r"mediaType":"${OCI_INDEX}","manifests":[],"annotations":${JSON.stringify(annotations)}}\r\n`;
    await layout.tag(await layout.blob(OCI_INDEX, text), 'strange');
    expect(await output(['--format', 'raw'], 'strange')).toBe(text);
    for (const args of [['--format', 'raw'], ['--format', 'docker'], ['--raw']]) {
      const shown = await output(args, 'strange', { tty: { columns: 80 } });
      expect(shown).not.toMatch(/[^\n\t -~]/);
    }
    const shown = await output(['--format', 'raw'], 'strange', { tty: { columns: 80 } });
    expect(JSON.parse(shown)).toEqual(JSON.parse(text));
  });

  it('is refused for bytes that are not UTF-8', async () => {
    const image = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: made.amd64.config,
      layers: [],
    };
    const bytes = Buffer.from(JSON.stringify({ ...image, annotations: { a: '\u00ff' } }), 'latin1');
    await layout.tag(await layout.blob(OCI_MANIFEST, bytes), 'latin1');
    const { code, stdout, stderr } = await inspect(['--format', 'raw'], 'latin1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/the document is ambiguous: it is not UTF-8\nhint: ./);
  });
});

describe('options that contradict each other', () => {
  it.each<[string[], RegExp]>([
    [['--raw', '--format', 'json'], /pass --raw or --format, not both/],
    [
      ['--format', 'tabel'],
      /must be json, table, docker, docker-verbose or raw, not "tabel" \(did you mean table\?\)/,
    ],
    [['--expand-config'], /--expand-config needs --raw/],
    [['--raw', '--config', '--expand-config'], /pass --config or --expand-config/],
    [['--config', '--format', 'table'], /--config cannot be combined with --format table/],
    [['--referrers', '--raw'], /--referrers cannot be combined with --raw/],
    [['--referrers', '--format', 'docker'], /--referrers cannot be combined with --format docker/],
    [['--referrers', '--config'], /--referrers cannot be combined with --config/],
  ])('%j are an error', async (args, says) => {
    const result = await inspect(args);
    expectCode(result, 2);
    expect(result.stderr).toMatch(says);
  });
});
