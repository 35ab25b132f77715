import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LAYER, LayoutFolder, OCI_MANIFEST, type Entry } from '../support/layout.js';
import { startRegistry } from '../support/registry.js';

const SOCI = 'application/vnd.amazon.soci.index.v2+json';

let folder: LayoutFolder;
let registry: Awaited<ReturnType<typeof startRegistry>>;

interface Listed {
  readonly digest: string;
  readonly platform?: { readonly architecture: string };
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

beforeAll(async () => {
  [folder, registry] = await Promise.all([LayoutFolder.make(), startRegistry()]);
  const [amd64, arm64] = [await accelerated('amd64'), await accelerated('arm64')];
  const other = await image('s390x');
  await folder.tag(await folder.index([...amd64, other, ...arm64]), 'full');
  await folder.tag(await folder.index(amd64), 'amd64');
  await folder.tag(await folder.index(await accelerated('amd64', 'rebuilt')), 'rebuilt');
  const also = { ...amd64[0]!, platform: { os: 'linux', architecture: '386' } };
  await folder.tag(await folder.index([...amd64, also]), 'shared');
});

afterAll(() => Promise.all([folder.remove(), registry.stop()]));

async function image(architecture: string, content = ''): Promise<Entry> {
  const layer = await folder.blob(LAYER, `layer ${architecture} ${content}`);
  const platform = { os: 'linux', architecture };
  const { config: _, ...entry } = await folder.image({ ...platform, content }, [layer]);
  return { ...entry, platform };
}

/** An image with its SOCI index as `soci convert` writes it, its attestation, and another artifact. */
async function accelerated(architecture: string, content = ''): Promise<Entry[]> {
  const plain = await image(architecture, content);
  const { digest, platform } = plain;
  const artifact = async (type: string): Promise<Entry> => {
    const config = await folder.blob('application/vnd.oci.empty.v1+json', '{}');
    const layers = [await folder.blob('application/octet-stream', `${type} of ${digest}`)];
    const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: type };
    return folder.blob(OCI_MANIFEST, { ...manifest, config, layers });
  };
  const soci = {
    ...(await artifact(SOCI)),
    artifactType: SOCI,
    platform,
    annotations: { 'com.amazon.soci.image-manifest-digest': digest },
  };
  const report = {
    ...(await artifact('application/vnd.acme.report')),
    annotations: { 'com.acme.report-of': soci.digest },
  };
  const attestation = {
    ...(await artifact('application/vnd.docker.attestation.manifest.v1+json')),
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digest,
    },
  };
  const annotations = { 'com.amazon.soci.index-digest': soci.digest };
  return [{ ...plain, annotations }, soci, report, attestation];
}

async function succeed(...args: string[]) {
  const result = await runCli(args);
  expectCode(result, 0);
  return result;
}

async function entriesOf(reference: string): Promise<Listed[]> {
  const { stdout } = await succeed('inspect', '--format', 'raw', reference);
  return (JSON.parse(stdout) as { manifests: Listed[] }).manifests;
}

const digestsOf = async (reference: string): Promise<string[]> =>
  (await entriesOf(reference)).map(({ digest }) => digest).toSorted();

async function ofArchitecture(reference: string, ...names: string[]): Promise<string[]> {
  const all = await entriesOf(reference);
  const named = all.filter(
    ({ platform, artifactType }) =>
      artifactType === undefined && names.includes(platform?.architecture ?? ''),
  );
  const digests = new Set(named.map(({ digest }) => digest));
  for (const { digest, annotations = {} } of [...all, ...all])
    if (Object.values(annotations).some((value) => digests.has(value))) digests.add(digest);
  return [...digests].toSorted();
}

describe.each(['layout', 'registry'])('companions in a %s', (place) => {
  const at = (tag: string): string =>
    place === 'layout' ? folder.reference(tag) : `${registry.host}/app:${tag}`;

  beforeAll(async () => {
    if (place === 'layout') return;
    for (const tag of ['full', 'amd64', 'rebuilt', 'shared'])
      await succeed('copy', folder.reference(tag), at(tag));
  });

  it('are no defect, no duplicates and no platforms of their own', async () => {
    expect((await ofArchitecture(at('full'), 'amd64')).length).toBe(4);
    const verified = await succeed(
      'verify',
      '--platforms',
      'linux/amd64,linux/arm64,linux/s390x',
      at('full'),
    );
    expect(verified.stderr).toBe('');
    const { platforms } = JSON.parse((await succeed('query', '--json', at('full'))).stdout) as {
      platforms: unknown[];
    };
    expect(platforms).toHaveLength(3);
    const inspected = await succeed('inspect', '--format', 'json', at('full'));
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      platforms: ['linux/amd64', 'linux/s390x', 'linux/arm64'],
    });
    const selected = await succeed('inspect', '--platform', 'linux/arm64', at('full'));
    expect(selected.stderr).toBe('');
    expect(selected.stdout).toContain('Arch: arm64');
  });

  it('are kept by create, without annotations of images', async () => {
    const annotation = ['--annotation', 'manifest-descriptor:a=b'];
    await succeed('create', ...annotation, '--target', at('created'), at('full'));
    expect(await digestsOf(at('created'))).toEqual(await digestsOf(at('full')));
    const annotated = (await entriesOf(at('created'))).filter((entry) => entry.annotations?.['a']);
    expect(annotated.map(({ platform }) => platform?.architecture)).toEqual([
      'amd64',
      's390x',
      'arm64',
    ]);
  });

  it('are taken along with the platforms of from-args and of a spec', async () => {
    const options = [
      'push',
      'from-args',
      '--type',
      'oci',
      '--platforms',
      'linux/s390x,linux/amd64',
    ];
    await succeed(...options, '--template', at('full'), '--target', at('args'));
    const wanted = await ofArchitecture(at('full'), 'amd64', 's390x');
    expect(await digestsOf(at('args'))).toEqual(wanted);
    const spec = `image: ${at('spec')}\ntype: oci\nmanifests: [{image: "${at('full')}", platform: {os: linux, architecture: arm64}}]\n`;
    expectCode(await runCli(['push', 'from-spec', '-'], { stdin: spec }), 0);
    expect(await digestsOf(at('spec'))).toEqual(await ofArchitecture(at('full'), 'arm64'));
  });

  it('are taken along with --platform of create and add', async () => {
    const platforms = ['--platform', 'linux/arm64,linux/s390x'];
    await succeed('create', ...platforms, '--target', at('some'), at('full'));
    expect(await digestsOf(at('some'))).toEqual(await ofArchitecture(at('full'), 'arm64', 's390x'));
    await succeed('add', '--platform', 'linux/amd64', at('some'), at('full'));
    expect(await digestsOf(at('some'))).toEqual(await digestsOf(at('full')));
    const create = ['create', '--platform', 'linux/amd64,linux/386', '--target', at('none')];
    const missing = await runCli([...create, at('full')]);
    expect(missing).toMatchObject({ code: 3, stdout: '' });
    expect(missing.stderr).toContain('no source is for linux/386; there are linux/amd64, ');
    await succeed(...create, '--ignore-missing', at('full'));
    expect(await digestsOf(at('none'))).toEqual(await ofArchitecture(at('full'), 'amd64'));
  }, 60_000);

  it('are no entries of a Docker manifest list, where a runtime could select them', async () => {
    const args = ['push', 'from-args', '--platforms', 'linux/amd64', '--template', at('full')];
    const result = await runCli([...args, '--target', at('docker')]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(`is an artifact (${SOCI})`);
    expect(result.stderr).toContain('hint: pass --type oci');
  });

  it('follow their image in the table', async () => {
    const { stdout } = await succeed('inspect', '--format', 'table', at('full'));
    const names = stdout.split('\n').map((line) => /^(  )?[a-z]\S*/.exec(line)?.[0]);
    const rows = ['linux/amd64', '  attestation', '  artifact', '  artifact'];
    const others = ['linux/s390x', 'linux/arm64', ...rows.slice(1)];
    expect(names.filter((name) => name !== undefined)).toEqual([...rows, ...others]);
    expect(stdout).toContain(`    ${SOCI}`);
  });

  it('are kept without attestations', async () => {
    await succeed('create', '--attestations', 'drop', '--target', at('dropped'), at('amd64'));
    const types = (await entriesOf(at('dropped'))).map(({ platform, artifactType }) => [
      platform?.architecture,
      artifactType,
    ]);
    expect(types).toEqual([
      ['amd64', undefined],
      ['amd64', SOCI],
      [undefined, undefined],
    ]);
  });

  it('are published again by the spec of the index', async () => {
    const { stdout } = await succeed('spec', 'from', at('full'));
    const spec = stdout.replace(/^(image: .*):full$/m, '$1:again');
    expectCode(await runCli(['push', 'from-spec', '-'], { stdin: spec }), 0);
    expect(await digestsOf(at('again'))).toEqual(await digestsOf(at('full')));
  });

  it('are removed and added with their image', async () => {
    await succeed('copy', at('full'), at('edited'));
    await succeed('remove', at('edited'), '--platform', 'linux/amd64');
    expect(await digestsOf(at('edited'))).toEqual(
      await ofArchitecture(at('full'), 'arm64', 's390x'),
    );
    await succeed('add', at('edited'), at('amd64'));
    expect(await digestsOf(at('edited'))).toEqual(await digestsOf(at('full')));
    const again = await succeed('add', at('edited'), at('amd64'));
    expect(again.stderr).toMatch(/^unchanged /m);
  }, 60_000);

  it('are replaced with their image', async () => {
    await succeed('copy', at('full'), at('replaced'));
    await succeed('add', at('replaced'), at('rebuilt'));
    const kept = await ofArchitecture(at('full'), 'arm64', 's390x');
    const wanted = [...kept, ...(await digestsOf(at('rebuilt')))].toSorted();
    expect(await digestsOf(at('replaced'))).toEqual(wanted);
    await succeed('verify', at('replaced'));
  }, 60_000);

  it('stay with an image that is still listed for another platform', async () => {
    const twice = at('twice');
    await succeed('copy', at('shared'), twice);
    const annotation = ['--annotation', 'a=b'];
    await succeed('annotate', twice, '--platform', 'linux/386', ...annotation);
    const annotated = (await entriesOf(twice)).filter((entry) => entry.annotations?.['a']);
    expect(annotated.map(({ platform }) => platform?.architecture)).toEqual(['386']);
    await succeed('remove', twice, '--platform', 'linux/386');
    expect(await digestsOf(twice)).toEqual(await digestsOf(at('amd64')));
    expect(await entriesOf(twice)).toEqual(await entriesOf(at('amd64')));
  }, 60_000);

  it('are not left behind: an index of one image is not emptied', async () => {
    const result = await runCli(['remove', at('amd64'), '--platform', 'linux/amd64']);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('no entry would be left');
  });
});
