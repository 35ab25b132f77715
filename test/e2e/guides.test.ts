import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace, type ShellResult } from '../support/documented.js';
import { stepsOf, type Step } from '../support/guide.js';

const GUIDES = [
  'from-docker-manifest',
  'from-manifest-tool',
  'from-buildx-imagetools',
  'from-crane',
  'from-skopeo',
] as const;

const SPEC = `
image: example.com/app:2.0
manifests:
  - image: example.com/app:1.0-amd64
  - image: example.com/app:1.0-arm64
`;

/** A registry with what the guides name, and the files that they need. */
async function makePlace(kind: 'docker' | 'oci'): Promise<Workplace> {
  const place = await Workplace.make();
  for (const architecture of ['amd64', 'arm64', 's390x'])
    await place.image(`example.com/app:1.0-${architecture}`, architecture, kind);
  await place.image('example.com/oci:1.0-amd64', 'amd64', 'oci');
  place.write('app.yaml', SPEC);
  place.write('secret.txt', 'secret\n');
  mkdirSync(`${place.folder}/home/.docker`);
  writeFileSync(`${place.folder}/home/.docker/config.json`, '{}');
  return place;
}

function expectDone(line: string, { code, stdout, stderr }: ShellResult): void {
  expect({ line, code, stdout, stderr }).toMatchObject({ code: 0 });
}

// The other tools are not Debian packages: only the new commands of their guides are run.
describe.each(GUIDES.slice(1))('docs/guides/%s.md', (guide) => {
  const steps = stepsOf(`docs/guides/${guide}.md`);
  let place: Workplace;

  beforeAll(async () => {
    place = await makePlace(guide === 'from-manifest-tool' ? 'docker' : 'oci');
  });

  afterAll(() => place.stop());

  it('has an old command beside each new one', () => {
    const rows = steps.filter(({ old }) => old.length > 0);
    expect(rows.length).toBeGreaterThan(7);
    for (const { task, now } of rows) expect([task, now.length]).toEqual([task, 1]);
  });

  it.each(steps)('$task', async ({ now }) => {
    for (const line of now) expectDone(line, await place.run(line));
  });
});

describe('docs/guides/from-docker-manifest.md', () => {
  const steps = stepsOf('docs/guides/from-docker-manifest.md');
  let place: Workplace;

  beforeAll(async () => {
    place = await makePlace('docker');
  });

  afterAll(() => place.stop());

  /** The list of the guide has a name of its own for each of the two tools, so that they do not meet. */
  const own = (line: string, name: string): string =>
    line.replaceAll(/example\.com\/app:1\.0(?=\s|$)/g, `example.com/${name}:1.0`);

  /** The registry of the test has no TLS, which docker's client has to be told for all that asks it. */
  const docker = (line: string): Promise<ShellResult> =>
    place.run(own(line, 'old').replace(/(?<=manifest (?:create|inspect|push))/, ' --insecure'));

  async function run({ old, now }: Step): Promise<{ old: ShellResult[]; now: ShellResult[] }> {
    const results = { old: [] as ShellResult[], now: [] as ShellResult[] };
    for (const line of old) results.old.push(await docker(line));
    for (const line of now) results.now.push(await place.run(own(line, 'new')));
    [...old, ...now].forEach((line, i) => expectDone(line, [...results.old, ...results.now][i]!));
    return results;
  }

  /** What a list that `docker manifest inspect` shows has for each platform. */
  function entries(text: string): unknown {
    const { manifests } = JSON.parse(text) as {
      manifests: { digest: string; platform: object }[];
    };
    return manifests
      .map(({ digest, platform }) => ({ digest, platform }))
      .toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
  }

  it('has all commands of docker manifest', () => {
    const told = new Set(steps.flatMap(({ old }) => old).map((line) => line.split(' ')[2]));
    expect(told).toEqual(new Set(['annotate', 'create', 'inspect', 'push', 'rm']));
  });

  it.each(steps)('$task', async (step) => {
    const { old, now } = await run(step);
    if (!step.old[0]?.includes('manifest inspect')) return;
    const [before, after] = [old[0]!.stdout, now[0]!.stdout];
    if (step.old[0].endsWith('app:1.0')) {
      expect(entries(after)).toEqual(entries(before));
      expect(entries(after)).toHaveLength(3);
      expect(after).toContain('"variant": "v8"');
    } else {
      // Clients before version 28 print no `Raw`.
      const hasRaw = before.includes('"Raw": ');
      expect(hasRaw ? after : after.replaceAll(/^\t+"Raw": ".*",\n/gm, '')).toBe(before);
    }
  });
});
