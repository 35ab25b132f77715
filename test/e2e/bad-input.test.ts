import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { getManifest } from '../support/http.js';
import { startRegistry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

let registry: Awaited<ReturnType<typeof startRegistry>>;
let webServer: Server;
let web: string;
const folder = mkdtempSync(path.join(tmpdir(), 'bad-input-'));

beforeAll(async () => {
  registry = await startRegistry();
  await seedParityImages(registry.host);
  webServer = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!DOCTYPE html><title>Hello</title>');
  });
  await new Promise<void>((resolve) => webServer.listen(0, '127.0.0.1', resolve));
  web = `127.0.0.1:${(webServer.address() as AddressInfo).port}`;
});

afterAll(async () => {
  webServer.close();
  await registry.stop();
});

const FROM_ARGS = [
  'push',
  'from-args',
  '--template',
  '{R}/docker/app:OS-ARCH',
  '--target',
  '{R}/docker/app:bad',
];

interface Case {
  readonly args: readonly string[];
  /** A file spec.yaml or config.json in {F}. */
  readonly file?: readonly [string, string];
  readonly code?: number;
  /** What the error line must name. */
  readonly says: RegExp;
  readonly hint?: RegExp;
}

const spec = (text: string, says: RegExp, code = 2): Case => ({
  args: ['push', 'from-spec', '{F}/spec.yaml'],
  file: ['spec.yaml', text],
  says,
  code,
});

const CASES: Readonly<Record<string, Case>> = {
  'two specs that publish one tag': spec(
    ['x', 'y']
      .map(
        () => 'image: {R}/docker/app:twice\nmanifests: [{ image: {R}/docker/app:linux-amd64 }]\n',
      )
      .join('---\n'),
    /two specs publish \S+\/docker\/app:twice/,
  ),
  'an annotation of a level that is none here': {
    args: [
      'create',
      '--target',
      '{R}/docker/app:bad',
      '--annotation',
      'manifest:a=b',
      '{R}/docker/app:linux-amd64',
    ],
    says: /--annotation "manifest:a=b": "manifest" is not a level/,
    hint: /index and manifest-descriptor/,
  },
  'a level where entries are named otherwise': {
    args: ['annotate', '{R}/docker/app:bad', '--platform=linux/amd64', '--annotation', 'index:a=b'],
    says: /annotate changes the selected entries, not index/,
    hint: /--platform or --digest/,
  },
  'a colon in a key of annotate': {
    args: ['annotate', '{R}/docker/app:bad', '--annotation', 'foo:a=b'],
    says: /--annotation "foo:a=b": "foo" is not a level/,
    hint: /write index:KEY=VALUE if the key has a colon/,
  },
  'no command': { args: ['--raw'], says: /no command is given/, hint: /inspect, query/ },
  'an unknown command': {
    args: ['inspct', 'x'],
    says: /unknown command "inspct" \(did you mean inspect\?\)/,
  },
  'half a command': {
    args: ['push', '--type', 'oci'],
    says: /push needs a command/,
    hint: /from-args, from-spec/,
  },
  'an unknown option': {
    args: [...FROM_ARGS, '--platfroms', 'linux/amd64'],
    says: /unknown option --platfroms \(did you mean --platforms\?\)/,
  },
  'an option of another command': {
    args: ['inspect', '--tags', 'a', 'x'],
    says: /inspect has no option --tags/,
  },
  'a missing option': { args: FROM_ARGS, says: /push from-args needs --platforms/ },
  'a missing argument': { args: ['inspect'], says: /inspect needs REF/ },
  'an argument too many': { args: ['inspect', 'a', 'b'], says: /unexpected argument "b"/ },
  'a missing value': { args: ['inspect', 'x', '--username'], says: /--username needs a value/ },
  'a bad reference': {
    args: ['inspect', '{R}/App:1'],
    says: /"127\.0\.0\.1:\d+\/App:1".*lower case/,
  },
  'a bad tag': { args: ['inspect', '{R}/app:1 0'], says: /"1 0" is not a valid tag/ },
  'a bad digest': {
    args: ['inspect', '{R}/app@sha256:abc'],
    says: /app@sha256:abc".*64 lower-case hexadecimal digits/,
  },
  'a bad platform': {
    args: [...FROM_ARGS, '--platforms', 'linux'],
    says: /--platforms "linux".*os\/arch/,
  },
  'a platform twice': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd64,linux/x86_64'],
    says: /linux\/amd64 twice/,
  },
  'an unknown os': {
    args: [...FROM_ARGS, '--platforms', 'linus/amd64'],
    says: /os "linus" is not known \(did you mean linux\?\)/,
  },
  'an unknown architecture': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd46'],
    says: /architecture "amd46" is not known \(did you mean amd64\?\)/,
  },
  'another --type': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd64', '--type', 'ocl'],
    says: /--type must be docker, oci or auto, not "ocl"/,
  },
  'annotations with the docker type': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd64', '--annotations', 'a=b'],
    says: /app:bad.*no annotations/,
    hint: /--type oci/,
  },
  'an annotation without =': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd64', '--type', 'oci', '--annotations', 'ab'],
    says: /"ab".*key=value/,
  },
  'a target with a digest that the list does not have': {
    args: [
      'push',
      'from-args',
      '--platforms',
      'linux/amd64',
      '--template',
      '{R}/docker/app:OS-ARCH',
      '--target',
      `{R}/docker/app@sha256:${'0'.repeat(64)}`,
    ],
    says: /has a different digest, sha256:[0-9a-f]{64}/,
  },
  'an image that is not there': {
    args: [...FROM_ARGS, '--platforms', 'linux/amd64,linux/mips'],
    code: 3,
    says: /docker\/app:linux-mips failed: not found/,
  },
  'not one image that is there': {
    args: [...FROM_ARGS, '--platforms', 'linux/mips', '--ignore-missing'],
    code: 3,
    says: /none of its images was found/,
  },
  'two images of one platform': spec(
    'image: {R}/docker/app:bad\nmanifests:\n  - image: {R}/docker/app:linux-amd64\n  - image: {R}/perplat/linux-amd64/app:1.0\n',
    /two images have the platform linux\/amd64: .*docker\/app:linux-amd64 .* and .*perplat\/linux-amd64\/app:1\.0/,
  ),
  'a missing spec': {
    args: ['push', 'from-spec', '{F}/none.yaml'],
    says: /none\.yaml failed: no such file or directory/,
  },
  'a directory as spec': { args: ['push', 'from-spec', '{F}'], says: /it is a directory/ },
  'a spec that is no YAML': spec('image: [\n', /spec\.yaml:2:1 failed: it is not valid YAML/),
  'a spec that is empty': spec('', /spec\.yaml failed: it is empty/),
  'a spec that is no mapping': spec(
    '- image: x\n',
    /spec\.yaml:1:1 failed: the spec must be a mapping, but is a list/,
  ),
  'a spec without image': spec(
    'manifests:\n  - image: x\n',
    /spec\.yaml:1:1 failed: "image" is missing/,
  ),
  'a spec without manifests': spec('image: x\n', /spec\.yaml:1:1 failed: "manifests" is missing/),
  'a wrong type in a spec': spec(
    'image: x\nmanifests:\n  - image: y\n    platform:\n      os: [linux]\n',
    /spec\.yaml:5:11 failed: manifests\[0\]\.platform\.os must be a string, but is a list/,
  ),
  'tags that are no list': spec(
    'image: x\ntags: latest\nmanifests:\n  - image: y\n',
    /spec\.yaml:2:7 failed: tags must be a list, but is a string/,
  ),
  'a bad reference in a spec': spec(
    'image: x\nmanifests:\n  - image: Y\n',
    /spec\.yaml:3:12 failed: manifests\[0\]\.image "Y"/,
  ),
  'a docker config that is no JSON': {
    args: ['inspect', '--docker-cfg', '{F}/config.json', '{T}/app:1'],
    file: ['config.json', '{"auths": '],
    says: /config\.json/,
  },
  'a credential helper that is not installed': {
    args: ['inspect', '--docker-cfg', '{F}/config.json', '{T}/app:1'],
    file: ['config.json', '{"credsStore": "not-there"}'],
    says: /docker-credential-not-there.*not installed/,
  },
  'a registry that cannot be reached': {
    args: ['inspect', '--retry', '0', '127.0.0.1:1/app:1'],
    code: 5,
    says: /127\.0\.0\.1:1.*connection refused/,
    hint: /port/,
  },
  'a registry that answers HTML': {
    args: ['inspect', '{W}/app:1'],
    code: 5,
    says: /web page.*not a registry/,
    hint: /name and the port/,
  },
  'no layout': {
    args: ['inspect', 'oci-layout://{F}/none:1'],
    code: 3,
    says: /none does not exist/,
  },
};

describe('bad input', () => {
  let protectedRegistry: Awaited<ReturnType<typeof startRegistry>>;

  beforeAll(async () => {
    protectedRegistry = await startRegistry({ htpasswd: true });
  });

  afterAll(() => protectedRegistry.stop());

  it.each(Object.entries(CASES))(
    '%s is one line and its hint, and nothing is written',
    async (_, each) => {
      const fill = (text: string): string =>
        text
          .replaceAll('{R}', registry.host)
          .replaceAll('{T}', protectedRegistry.host)
          .replaceAll('{W}', web)
          .replaceAll('{F}', folder);
      if (each.file !== undefined)
        writeFileSync(path.join(folder, each.file[0]), fill(each.file[1]));
      const result = await runCli(each.args.map(fill));
      const [first, second, ...rest] = result.stderr
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('manifest-tool: warning: '));
      expect(first).toMatch(/^manifest-tool: .+ failed: .+/);
      expect(first).toMatch(each.says);
      expect(second).toMatch(/^hint: /);
      if (each.hint !== undefined) expect(second).toMatch(each.hint);
      expect(rest).toEqual([]);
      expect(result.stdout).toBe('');
      expect(result.code).toBe(each.code ?? 2);
      expect((await getManifest(registry.host, 'docker/app', 'bad')).status).toBe(404);
    },
  );

  it('warns of an unknown key in a spec, with its place and the nearest known one', async () => {
    writeFileSync(
      path.join(folder, 'spec.yaml'),
      `image: ${registry.host}/docker/app:key\ntag: [x]\nmanifests:\n  - image: ${registry.host}/docker/app:linux-amd64\n`,
    );
    const result = await runCli(['push', 'from-spec', `${folder}/spec.yaml`]);
    expect(result.stderr).toContain(
      'spec.yaml:2:1: unknown key "tag" is ignored (did you mean tags?)',
    );
    expect(result.code).toBe(0);
  });
});
