import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES, commandOf } from '../../src/cli/args/commands.js';
import { expectCode } from '../support/cli.js';
import { Workplace } from '../support/documented.js';

let place: Workplace;

const ARCHITECTURES = ['amd64', 'arm64', '386'];
const spec = (name: string, version: string): string => `
image: example.com/${name}:${version}
manifests:
  - image: example.com/app:1.0-amd64
  - image: example.com/app:1.0-arm64
`;

beforeAll(async () => {
  place = await Workplace.make();
  const images: [string, string][] = [
    ...ARCHITECTURES.flatMap((architecture): [string, string][] => [
      [`example.com/app:1.0-${architecture}`, architecture],
      [`example.com/app:linux-${architecture}`, architecture],
      [`example.com/${architecture}/app:1.0`, architecture],
      [`example.com/library/traefik:${architecture}`, architecture],
      [`oci-layout://build:${architecture}`, architecture],
    ]),
    ['example.com/app:1.0-riscv64', 'riscv64'],
    ...['1.0', '1', 'latest'].map((tag): [string, string] => [
      `example.com/staging/app:${tag}`,
      'amd64',
    ]),
    ['example.com/app:1.1-arm64', 'arm64'],
    ['oci-layout://build:1.0-rc1', 'amd64'],
  ];
  for (const [name, architecture] of images) await place.image(name, architecture);
  const all = (prefix: string): string[] => ARCHITECTURES.map((each) => `${prefix}${each}`);
  await place.list('example.com/app:1.0-rc1', all('example.com/app:1.0-'));
  await place.list('example.com/library/traefik:latest', all('example.com/library/traefik:'));
  await place.list('oci-layout://build:latest', all('oci-layout://build:'));
  const digest = `manifest-tool inspect --format json "example.com/app:1.0-$each" | jq -r .digest`;
  const builds = `mkdir digests; for each in amd64 arm64; do d=$(${digest}); touch "digests/\${d#sha256:}"; done`;
  expectCode(await place.run(builds), 0);
  place.write('a.yaml', spec('a', '1.0'));
  place.write('b.yaml', spec('b', '1.0'));
  place.write('release.yaml', spec('app', '${VERSION}'));
});

afterAll(() => place.stop());

const EXAMPLES = COMMAND_NAMES.flatMap((name) =>
  commandOf(name).examples.map(([example, what]) => ({ name, example, what })),
);

describe('an example of the help', () => {
  it.each(EXAMPLES)('$name: $example', async ({ example }) => {
    // Some examples change these.
    await place.list(
      'example.com/app:1.0',
      ARCHITECTURES.map((each) => `example.com/app:1.0-${each}`),
    );
    place.write('app.yaml', spec('app', '1.0'));
    const line = example.replace('$0', 'manifest-tool');
    const { code, stdout, stderr } = line.includes('completion zsh')
      ? await place.run(`autoload -U compinit; compinit -u; ${line}`, { shell: ['zsh', '-fc'] })
      : await place.run(line, { stdin: place.local(spec('c', '1.0')) });
    // The registry of the test does not delete tags.
    const isRefused = /^\$0 untag (?!.*--dry-run).*example\.com/.test(example);
    expect({ code, stderr, stdout }).toMatchObject({ code: isRefused ? 6 : 0 });
    if (isRefused) {
      expect(stderr).toContain('the registry does not delete tags');
      return;
    }
    // A completion is read, and not seen.
    if (!/<\(|>/.test(line)) expect(stdout).not.toBe('');
    expect(stderr).not.toMatch(/ failed: |command not found/);
  });
});
