import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isScalar, parseAllDocuments, visit } from 'yaml';
import type { Spec } from '../../src/core/publish/request.js';
import { parseSpecs } from '../../src/spec/spec.js';
import { openLayout } from '../../src/layout/layout.js';
import { formatReference } from '../../src/oci/reference.js';
import { expectCode, runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { imageFor, type ImagePlatform } from '../support/images.js';
import { startRegistry } from '../support/registry.js';

const EXAMPLES = readdirSync('specs').filter((name) => name.endsWith('.yaml'));

/** Platforms for images of which an example says none: no two images of a list may have the same. */
const PLATFORMS: readonly ImagePlatform[] = ['amd64', 'arm64', '386', 's390x', 'ppc64le'].map(
  (architecture) => ({ os: 'linux', architecture }),
);

let registry: Awaited<ReturnType<typeof startRegistry>>;
const folder = mkdtempSync(path.join(tmpdir(), 'mt-examples-'));

beforeAll(async () => {
  registry = await startRegistry();
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The command line that the comment of an example gives: variables, then words. */
function commandOf(name: string, text: string) {
  const line = new RegExp(`^# {3}((?:\\w+=\\S* )*)manifest-tool (.*) specs/${name}$`, 'm').exec(
    text,
  );
  if (line === null) throw new Error(`${name} has no comment with its command line`);
  const [, variables = '', words = ''] = line;
  const pairs = variables.trim().split(' ').filter(Boolean);
  return {
    args: words.split(' '),
    env: Object.fromEntries(pairs.map((pair) => pair.split('=', 2) as [string, string])),
  };
}

/** The example with its references in the registry of the test, or in its folder; nothing else of it is changed. */
function moved(text: string): string {
  const documents = parseAllDocuments(text, { merge: true });
  for (const document of documents) {
    visit(document, {
      Pair(_, { key, value }) {
        if (!isScalar(key) || key.value !== 'image' || !isScalar(value)) return;
        const reference = String(value.value);
        const layout = /^oci-layout:\/\/(.*)$/.exec(reference)?.[1];
        value.value =
          layout === undefined
            ? `${registry.host}/${reference}`
            : `oci-layout://${folder}/${layout}`;
      },
    });
  }
  return documents.map(String).join('');
}

/** Makes the images that a spec names. */
async function makeImages(spec: Spec, type: 'docker' | 'oci'): Promise<void> {
  const taken = new Set(spec.sources.map(({ platform }) => platform?.architecture));
  const free = PLATFORMS.filter(({ architecture }) => !taken.has(architecture));
  for (const { reference, platform = {} } of spec.sources) {
    const { os, architecture, osVersion } = platform;
    const own =
      os === undefined || architecture === undefined
        ? free.shift()!
        : { os, architecture, ...(osVersion === undefined ? {} : { 'os.version': osVersion }) };
    await imageFor(reference, own, type);
  }
}

interface List {
  readonly mediaType: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly manifests: readonly { readonly platform: Readonly<Record<string, unknown>> }[];
}

async function listAt({ target }: Spec, tag: string): Promise<List> {
  const name = { ...target, tag };
  const text =
    name.kind === 'registry'
      ? (await getManifest(registry.host, name.repository, tag)).body
      : Buffer.from((await openLayout(name.path).getManifest(tag)).bytes).toString();
  return JSON.parse(text) as List;
}

describe('the examples in specs/', () => {
  it('are some', () => {
    expect(EXAMPLES.length).toBeGreaterThan(5);
  });

  it.each(EXAMPLES)('%s names the schema in each document', (name) => {
    const comment = '# yaml-language-server: $schema=spec.schema.json';
    const documents = readFileSync(`specs/${name}`, 'utf8').split(/^---\n/m);
    for (const document of documents) expect(document.split('\n')[0]).toBe(comment);
  });

  it.each(EXAMPLES)('%s is published as its comment says', async (name) => {
    const text = readFileSync(`specs/${name}`, 'utf8');
    const { args, env } = commandOf(name, text);
    const type = args.includes('oci') ? 'oci' : 'docker';
    const file = path.join(folder, name);
    writeFileSync(file, moved(text));
    const warning = (message: string): never => {
      throw new Error(message);
    };
    const specs = parseSpecs(readFileSync(file, 'utf8'), file, {
      warning,
      ...(args.includes('--env') && { env }),
    });
    for (const spec of specs) await makeImages(spec, type);

    const checkArgs = ['--type', type, ...args.filter((word) => word === '--env')];
    const checked = await runCli(['spec', 'check', '--strict', ...checkArgs, file], { env });
    expectCode(checked, 0);
    expect(checked.stdout.trimEnd().split('\n')).toHaveLength(specs.length);

    const published = await runCli([...args, '--strict', '--verify', file], { env });
    expectCode(published, 0);
    expect(published.stdout.match(/^Digest: sha256:[0-9a-f]{64} \d+/gm)).toHaveLength(specs.length);
    for (const spec of specs) {
      for (const tag of [spec.target.tag!, ...spec.tags]) {
        const list = await listAt(spec, tag);
        expect(list.mediaType).toMatch(type === 'oci' ? /oci\.image\.index/ : /manifest\.list/);
        expect(list.annotations ?? {}).toEqual(Object.fromEntries(spec.annotations));
        expect(list.manifests).toHaveLength(spec.sources.length);
        spec.sources.forEach(({ platform = {}, reference }, i) => {
          const { osVersion, osFeatures, ...rest } = platform;
          expect([formatReference(reference), list.manifests[i]!.platform]).toEqual([
            formatReference(reference),
            expect.objectContaining({
              ...rest,
              ...(osVersion === undefined ? {} : { 'os.version': osVersion }),
              ...(osFeatures === undefined ? {} : { 'os.features': osFeatures }),
            }),
          ]);
        });
      }
    }
  });

  it('are right together, by the command of the documentation', async () => {
    const line = /^ {4}((?:\w+=\S+ )+)manifest-tool (spec check .*) specs\/\*\.yaml$/m;
    const [, variables = '', words = ''] =
      line.exec(readFileSync('docs/reference/spec.md', 'utf8')) ?? [];
    const env = Object.fromEntries(
      variables
        .trim()
        .split(' ')
        .map((pair) => pair.split('=', 2) as [string, string]),
    );
    const args = [...words.split(' '), ...EXAMPLES.map((name) => `specs/${name}`)];
    const result = await runCli(args, { env });
    expectCode(result, 0);
    expect(result.stderr).toBe('');
  });

  it('of the reference is right', async () => {
    const [, spec = ''] = /```yaml\n([^]*?)```/.exec(
      readFileSync('docs/reference/spec.md', 'utf8'),
    )!;
    const result = await runCli(['spec', 'check', '--strict', '-'], { stdin: spec });
    expectCode(result, 0);
  });

  it('show what a spec can say', () => {
    const used = new Set<string>();
    for (const name of EXAMPLES) {
      for (const document of parseAllDocuments(readFileSync(`specs/${name}`, 'utf8'))) {
        visit(document, {
          Pair(_, { key }) {
            if (isScalar(key)) used.add(String(key.value));
          },
        });
      }
    }
    const all = ['image', 'tags', 'annotations', 'manifests', 'platform'];
    const platform = ['os', 'architecture', 'variant', 'osversion', 'osfeatures'];
    for (const key of [...all, ...platform]) expect(used).toContain(key);
  });
});
