import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli, type CliResult } from '../support/cli.js';
import { LayoutFolder, OCI_CONFIG, type Entry, type ImageParts } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';

const SPDX = 'https://spdx.dev/Document';
const CYCLONEDX = 'https://cyclonedx.org/bom/v1.6';
const SLSA = 'https://slsa.dev/provenance/v1';

const HINTS: Readonly<Record<string, string>> = {
  '--platforms': 'remove the unexpected platforms, or pass --at-least to allow them',
  '--at-least': 'add and remove change the entries of an index',
  '--same-as': 'copy publishes the same image again',
  '--require-attestations':
    'build the image with attestations, for example docker buildx build --sbom=true --provenance=true',
};

let registry: Awaited<ReturnType<typeof startRegistry>>;

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(() => registry.stop());

describe.each(['layout', 'registry'])('in a %s', (where) => {
  let content: LayoutFolder;
  let tags = 0;

  beforeAll(async () => {
    content = await LayoutFolder.make();
  });

  afterAll(() => content.remove());

  /** Publishes content where the tests are about, and returns its name. */
  async function publish(entry: Entry): Promise<string> {
    tags += 1;
    await content.tag(entry, `v${tags}`);
    const name = content.reference(`v${tags}`);
    if (where === 'layout') return name;
    const target = `${registry.host}/required/app:v${tags}`;
    expectCode(await runCli(['copy', '--referrers', name, target]), 0);
    return target;
  }

  const indexOf = async (...entries: Entry[]): Promise<string> =>
    publish(await content.index(entries));
  const verify = (name: string, ...options: string[]): Promise<CliResult> =>
    runCli(['verify', name, ...options]);
  const image = (platform: string, parts?: ImageParts) => content.imageFor(platform, parts);

  interface Document {
    readonly entries: { readonly digest: string; readonly defects: object[] }[];
    readonly defects: { readonly where: string; readonly what: string }[];
  }

  /** Expects exit code 6 with these defects, and that rows and defects agree. */
  async function expectDefects(name: string, options: string[], defects: string[]): Promise<void> {
    const json = await verify(name, ...options, '--json');
    expectCode(json, 6);
    const document = JSON.parse(json.stdout) as Document;
    expect(document.defects.map(({ where: place, what }) => `${place} ${what}`)).toEqual(defects);
    const text = await verify(name, ...options);
    expectCode(text, 6);
    for (const defect of defects) expect(text.stderr).toContain(defect);
    for (const option of options)
      if (option in HINTS) expect(text.stderr).toContain(`hint: ${HINTS[option]}\n`);
    for (const { digest, defects: own } of document.entries) {
      const row = text.stdout.split('\n').find((line) => line.includes(digest))!;
      expect(row).toMatch(own.length > 0 ? /^DEFECT/ : /^ok/);
    }
    for (const { where: place } of document.defects) {
      const rows = document.entries.filter(({ digest }) => digest === place);
      for (const { defects: own } of rows) expect(own).not.toEqual([]);
    }
  }

  it('--at-least accepts more platforms, and names those that are missing', async () => {
    const name = await indexOf(await image('linux/amd64'), await image('linux/arm64/v8'));
    expectCode(await verify(name, '--at-least', 'linux/arm64'), 0);
    expectCode(await verify(name, '--at-least', 'linux/x86_64,linux/arm64'), 0);
    await expectDefects(
      name,
      ['--at-least', 'linux/arm64,linux/386'],
      ['linux/386 is required, but not in the index'],
    );
  });

  it('--at-least accepts any os version and os features for a platform without, as --require does', async () => {
    const config = { architecture: 'amd64', os: 'windows', 'os.version': '10.0.20348.1' };
    const platform = { ...config, 'os.features': ['win32k'] };
    const name = await indexOf(await image('windows/amd64', { config, listed: { platform } }));
    for (const each of ['windows/amd64', 'windows/amd64:10.0.20348.1'])
      expectCode(await verify(name, '--at-least', each), 0);
    const target = `${registry.host}/required/windows:1`;
    expectCode(await runCli(['create', '-t', target, name, '--require', 'windows/amd64']), 0);
    await expectDefects(
      name,
      ['--at-least', 'windows/amd64:10.0.17763.1'],
      ['windows/amd64:10.0.17763.1 is required, but not in the index'],
    );
  });

  it('lists the first of many defects, each on its line, and counts the others', async () => {
    const images = await Promise.all(
      Array.from({ length: 30 }, (_, i) => image(`linux/amd64`, { labels: { i: `${i}` } })),
    );
    const name = await indexOf(...images);
    const result = await verify(name, '--same-label', 'none');
    expectCode(result, 6);
    const [first, ...lines] = result.stderr.trimEnd().split('\n').slice(-23);
    expect(first).toMatch(/^manifest-tool: verifying .* failed: 30 defects$/);
    expect(lines.slice(0, 20)).toEqual(
      images.slice(0, 20).map(({ digest }) => `  ${digest} label none is missing`),
    );
    expect(lines.slice(20)).toEqual([
      '  and 10 more: verify --json lists all',
      expect.stringMatching(/^hint: /),
    ]);
    const json = await verify(name, '--same-label', 'none', '--progress', 'json');
    const error = json.stderr.trimEnd().split('\n').at(-1)!;
    expect(JSON.parse(error)).toMatchObject({ event: 'error', items: { length: 21 } });
  });

  it('--platforms and --at-least see the images of an index inside, and no artifacts as platforms', async () => {
    const inner = await content.index([await image('linux/s390x')]);
    const name = await indexOf(await image('linux/amd64'), inner);
    expectCode(await verify(name, '--platforms', 'linux/amd64,linux/s390x'), 0);
    expectCode(await verify(name, '--at-least', 'linux/s390x'), 0);
    await expectDefects(
      name,
      ['--platforms', 'linux/s390x'],
      ['linux/amd64 is an unexpected platform'],
    );
  });

  it('the row of a platform that is not required is a defect', async () => {
    const [amd64, arm64] = [await image('linux/amd64'), await image('linux/arm64')];
    const name = await indexOf(amd64, arm64);
    const { stdout } = await verify(name, '--platforms', 'linux/amd64');
    expect(stdout).toMatch(new RegExp(`^ok +linux/amd64 +${amd64.digest}`, 'm'));
    expect(stdout).toMatch(new RegExp(`^DEFECT +linux/arm64 +${arm64.digest}`, 'm'));
  });

  it('a single image has its platform only', async () => {
    const name = await publish(await image('linux/s390x'));
    expectCode(await verify(name, '--platforms', 'linux/s390x'), 0);
    const result = await verify(name, '--platforms', 'linux/386');
    expectCode(result, 6);
    expect(result.stderr).toContain(
      '2 defects\n  linux/386 is required, but not there\n  linux/s390x is an unexpected platform\n' +
        'hint: it is a single image: verify an index, or the image for that platform\n',
    );
    expect(result.stdout).toMatch(/^DEFECT /m);
  });

  it('names each thing to do once', async () => {
    const { stderr } = await verify(
      await publish(await content.index([])),
      '--at-least',
      'linux/386',
    );
    expect(stderr).toMatch(/^hint: add and remove change the entries of an index$/m);
  });

  it('--same-as compares platforms and digests', async () => {
    const labels = { other: 'build' };
    const [amd64, arm64] = [await image('linux/amd64'), await image('linux/arm64')];
    const rebuilt = await image('linux/arm64', { labels });
    const name = await indexOf(amd64, arm64);
    expectCode(await verify(name, '--same-as', name), 0);
    const turned = await indexOf({ ...arm64, annotations: { k: 'v' } }, amd64);
    expectCode(await verify(name, '--same-as', turned), 0);
    const attested = await indexOf(amd64, arm64, await content.attestation(amd64, SPDX));
    expectCode(await verify(name, '--same-as', attested), 0);
    const other = await indexOf(amd64, rebuilt, await image('linux/386'));
    await expectDefects(
      name,
      ['--same-as', other],
      [
        `linux/arm64 is ${arm64.digest} here, but ${rebuilt.digest} in ${other}`,
        `linux/386 is in ${other} (${(await image('linux/386')).digest}), but not here`,
      ],
    );
    const fewer = await indexOf(amd64);
    await expectDefects(name, ['--same-as', fewer], [`linux/arm64 is not in ${fewer}`]);
    expectCode(await verify(name, '--same-as', name.replace(/v\d+$/, 'none')), 3);
  });

  it('--same-as compares single images, and several images of one platform', async () => {
    const [gzip, zstd] = [await image('linux/amd64'), await image('linux/amd64', { labels: {} })];
    const single = await publish(gzip);
    const list = await indexOf(gzip);
    expectCode(await verify(single, '--same-as', list), 0);
    expectCode(await verify(list, '--same-as', single), 0);
    const both = await indexOf(gzip, zstd);
    expectCode(await verify(both, '--same-as', await indexOf(zstd, gzip)), 0);
    expectCode(await verify(both, '--same-as', list), 6);
  });

  it('--same-label demands one value in every platform', async () => {
    const key = 'org.opencontainers.image.revision';
    const labelled = (platform: string, revision: unknown, more: object = {}) =>
      image(platform, { labels: { [key]: revision, ...more } });
    const amd64 = await labelled('linux/amd64', 'abc', { v: '1' });
    const attested = await content.attestation(amd64, SLSA);
    const same = await indexOf(amd64, await labelled('linux/arm64', 'abc'), attested);
    expectCode(await verify(same, '--same-label', key), 0);
    const [other, without] = [await labelled('linux/arm64', 'a"b'), await image('linux/386')];
    await expectDefects(
      await indexOf(amd64, other, without),
      ['--same-label', key, '--same-label', 'v'],
      [
        `${other.digest} label ${key} is "a\\"b", but "abc" in linux/amd64`,
        `${without.digest} label ${key} is missing`,
        `${other.digest} label v is missing`,
        `${without.digest} label v is missing`,
      ],
    );
    expectCode(await verify(await publish(amd64), '--same-label', key), 0);
    const wrong = await labelled('linux/s390x', 7);
    await expectDefects(
      await indexOf(wrong),
      ['--same-label', key],
      [
        `${wrong.digest} has labels in its config that cannot be read: config.Labels["${key}"] is not a string`,
      ],
    );
  });

  describe('--require-attestations', () => {
    const BOTH = ['--require-attestations', 'sbom,provenance'];

    it('is met by attestations in the index', async () => {
      const [amd64, arm64] = [await image('linux/amd64'), await image('linux/arm64')];
      const name = await indexOf(
        amd64,
        arm64,
        await content.attestation(amd64, SPDX, SLSA),
        await content.attestation(arm64, CYCLONEDX, 'https://slsa.dev/provenance/v0.2'),
      );
      expectCode(await verify(name, ...BOTH), 0);
    });

    it('names each image without them', async () => {
      const [amd64, arm64] = [await image('linux/amd64'), await image('linux/arm64')];
      const name = await indexOf(
        amd64,
        arm64,
        await content.attestation(amd64, SLSA, 'https://spdx.dev/Documents'),
      );
      await expectDefects(name, BOTH, [
        `${amd64.digest} has no SBOM attestation (SPDX or CycloneDX)`,
        `${arm64.digest} has no SBOM attestation (SPDX or CycloneDX)`,
        `${arm64.digest} has no provenance attestation (SLSA)`,
      ]);
      await expectDefects(name, BOTH.with(1, 'provenance'), [
        `${arm64.digest} has no provenance attestation (SLSA)`,
      ]);
    });

    it.each<[string, Record<string, string>, Record<string, string>]>([
      ['in-toto, as BuildKit annotates it', { 'in-toto.io/predicate-type': SLSA }, {}],
      ['of cosign', { predicateType: SLSA }, {}],
      ['a sigstore bundle', {}, { 'dev.sigstore.bundle.predicateType': SLSA }],
    ])('is met by a referrer: %s', async (kind, onLayer, annotations) => {
      const amd64 = await image('linux/amd64', { labels: { kind } });
      const layer = await content.blob('application/vnd.in-toto+json', `{"of": "${kind}"}`);
      const config = await content.blob('application/vnd.oci.empty.v1+json', '{}');
      const { mediaType, digest, size } = amd64;
      const referrer = await content.manifest(config, [{ ...layer, annotations: onLayer }], {
        artifactType: 'application/vnd.in-toto+json',
        subject: { mediaType, digest, size },
        annotations,
      });
      await content.tag(referrer);
      const options = ['--require-attestations', 'provenance'];
      expectCode(await verify(await indexOf(amd64), ...options), 0);
      expectCode(await verify(await publish(amd64), ...options), 0);
      expectCode(await verify(await publish(amd64), ...BOTH), 6);
    });

    it.each([
      ['application/spdx+json', 'application/spdx+json'],
      ['application/vnd.cyclonedx+json', 'application/octet-stream'],
      ['application/vnd.example', 'application/vnd.cyclonedx+xml;version=1.6'],
      ['application/vnd.example', 'text/spdx'],
    ])(
      'of an SBOM is met by a document of type %s with a layer of type %s',
      async (type, layer) => {
        const amd64 = await image('linux/amd64', { labels: { type, layer } });
        const { mediaType, digest, size } = amd64;
        const config = await content.blob('application/vnd.oci.empty.v1+json', '{}');
        await content.tag(
          await content.manifest(config, [await content.blob(layer, `of ${type}`)], {
            artifactType: type,
            subject: { mediaType, digest, size },
          }),
        );
        expectCode(await verify(await indexOf(amd64), '--require-attestations', 'sbom'), 0);
        expectCode(await verify(await indexOf(amd64), ...BOTH), 6);
      },
    );

    it('is met by a referrer of the index if no image has one of its kind', async () => {
      const attest = async (subject: Entry, type: string): Promise<void> => {
        const layer = await content.blob('application/vnd.in-toto+json', `{"of": "${type}"}`);
        const config = await content.blob('application/vnd.oci.empty.v1+json', '{}');
        const { mediaType, digest, size } = subject;
        const annotations = { 'dev.sigstore.bundle.predicateType': type };
        await content.tag(
          await content.manifest(config, [layer], {
            artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
            subject: { mediaType, digest, size },
            annotations,
          }),
        );
      };
      const [amd64, arm64] = [
        await image('linux/amd64', { labels: { attested: 'index' } }),
        await image('linux/arm64', { labels: { attested: 'index' } }),
      ];
      const index = await content.index([amd64, arm64]);
      await attest(index, SLSA);
      const name = await publish(index);
      expectCode(await verify(name, '--require-attestations', 'provenance'), 0);
      const sbom = ({ digest }: Entry): string =>
        `${digest} has no SBOM attestation (SPDX or CycloneDX)`;
      await expectDefects(name, BOTH, [sbom(amd64), sbom(arm64)]);
      await attest(arm64, SLSA);
      await expectDefects(
        await publish(index),
        ['--require-attestations', 'provenance'],
        [`${amd64.digest} has no provenance attestation (SLSA)`],
      );
    });

    it('is met by what cosign keeps under a tag', async () => {
      const arm = await image('linux/arm/v7', { labels: { of: 'cosign' } });
      const layer = await content.blob('application/vnd.dsse.envelope.v1+json', '{"payload":""}');
      const config = await content.blob(OCI_CONFIG, { rootfs: { type: 'layers', diff_ids: [] } });
      const annotations = { predicateType: CYCLONEDX };
      const attested = await content.manifest(config, [{ ...layer, annotations }]);
      await content.tag(attested, `${arm.digest.replace(':', '-')}.att`);
      const name = await indexOf(arm);
      expectCode(await verify(name, '--require-attestations', 'sbom'), 0);
      await expectDefects(name, BOTH, [`${arm.digest} has no provenance attestation (SLSA)`]);
    });
  });

  it('an index without entries is a defect, also inside another index', async () => {
    const empty = await content.index([]);
    const alone = await publish(empty);
    await expectDefects(alone, [], [`${empty.digest} is an index without entries`]);
    expect((await verify(alone)).stderr).toContain(
      'hint: add and remove change the entries of an index\n',
    );
    const name = await indexOf(await image('linux/amd64'), empty);
    await expectDefects(name, [], [`${empty.digest} is an index without entries`]);
  });
});

describe('a wrong requirement', () => {
  it.each([
    [['--at-least', 'linux'], /reading --at-least "linux" failed: it is not of the form os\/arch/],
    [['--platforms', 'linux/x'], /reading --platforms "linux\/x" failed: architecture "x"/],
    [['--same-as', 'a b'], /"a b"/],
    [
      ['--require-attestations', 'sboms'],
      /must be sbom, provenance or both, not "sboms" \(did you mean sbom\?\)/,
    ],
  ])('is refused: %j', async (options, says) => {
    const result = await runCli(['verify', `${registry.host}/none`, ...options]);
    expectCode(result, 2);
    expect(result.stderr).toMatch(says);
    expect(result.stderr).toMatch(/^hint: ./m);
  });
});
