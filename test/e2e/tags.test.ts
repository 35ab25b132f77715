import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectCode, runCli } from '../support/cli.js';
import { LayoutFolder } from '../support/layout.js';
import { startRegistry, type Registry } from '../support/registry.js';

async function tags(...args: string[]): Promise<string[]> {
  const result = await runCli(['tags', ...args]);
  expectCode(result, 0);
  return result.stdout.split('\n').slice(0, -1);
}

const TAGS = ['1.0', '1.0-rc1', '1.1', '2.0', 'latest'];

let registry: Registry;
let layout: LayoutFolder;

beforeAll(async () => {
  registry = await startRegistry();
  layout = await LayoutFolder.make();
  const image = await layout.imageFor('linux/amd64');
  for (const tag of TAGS) await layout.tag(image, tag);
  const target = `${registry.host}/team/app`;
  const [first, ...others] = TAGS;
  const copy = ['copy', layout.reference('1.0'), `${target}:${first}`, '--tags', others.join(',')];
  expectCode(await runCli(copy), 0);
});

afterAll(async () => {
  await registry.stop();
  await layout.remove();
});

describe('tags', () => {
  it('lists a repository of a registry, a layout and an archive', async () => {
    expect(await tags(`${registry.host}/team/app`)).toEqual(TAGS);
    expect(await tags(`oci-layout://${layout.root}`)).toEqual(TAGS);
    const archive = `oci-archive://${path.join(layout.root, 'app.tar')}`;
    expectCode(await runCli(['copy', layout.reference('2.0'), `${archive}:2.0`]), 0);
    expect(await tags(archive)).toEqual(['2.0']);
  });

  it.each([
    ['1.*', ['1.0', '1.0-rc1', '1.1']],
    ['?.0', ['1.0', '2.0']],
    ['[12].[01]', ['1.0', '1.1', '2.0']],
    ['{latest,*-rc*}', ['1.0-rc1', 'latest']],
    ['!*-rc*', ['1.0', '1.1', '2.0', 'latest']],
    ['1.', []],
  ])('matches the pattern %s', async (pattern, expected) => {
    expect(await tags(`${registry.host}/team/app`, '--match', pattern)).toEqual(expected);
  });

  it('is a document of the repository', async () => {
    const name = `${registry.host}/team/app`;
    const [json] = [await tags('--json', '--match', '2*', name)].map((lines) => lines.join('\n'));
    expect(JSON.parse(json!)).toEqual({ name, tags: ['2.0'] });
  });

  it('names each image of a layout so that it can be read by the name', async () => {
    const other = await LayoutFolder.make();
    const [a, b] = [await other.imageFor('linux/amd64'), await other.imageFor('linux/arm64')];
    const entry = ({ mediaType, digest, size }: typeof a, full: string, ref: string) => ({
      mediaType,
      digest,
      size,
      annotations: {
        'io.containerd.image.name': full,
        'org.opencontainers.image.ref.name': ref,
      },
    });
    const manifests = [
      entry(a, 'docker.io/library/a:1.0', '1.0'),
      entry(b, 'docker.io/library/b:1.0', '1.0'),
      entry(b, 'docker.io/library/b:2.0', '2.0'),
    ];
    const index = JSON.stringify({ schemaVersion: 2, manifests });
    await writeFile(path.join(other.root, 'index.json'), index);
    const names = await tags(`oci-layout://${other.root}`);
    expect(names).toEqual(['2.0', 'docker.io/library/a:1.0', 'docker.io/library/b:1.0']);
    for (const name of names) expectCode(await runCli(['digest', `oci:${other.root}:${name}`]), 0);
    await other.remove();
  });

  it.each<[string, string[], number, RegExp]>([
    [
      'a tag',
      ['{R}/team/app:1.0'],
      2,
      /listing the tags of .*app:1\.0 failed: the reference has a tag\nhint: use the repository alone: .*team\/app$/m,
    ],
    ['a repository that does not exist', ['{R}/none'], 3, /listing the tags of .*none failed: /],
    ['a layout that does not exist', ['oci-layout:///none/at/all'], 3, /\nhint: /],
    ['an empty pattern', ['{R}/team/app', '--match', ''], 2, /\nhint: /],
  ])('refuses %s', async (_, args, code, says) => {
    const result = await runCli([
      'tags',
      ...args.map((each) => each.replace('{R}', registry.host)),
    ]);
    expectCode(result, code);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(says);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(2);
  });
});

describe('tags in pages', () => {
  let server: Server | undefined;
  afterEach(() => void server?.close());

  /** Starts a registry that answers its pages one after the other; returns what it was asked. */
  async function pages(...answers: readonly { body: string; next?: string; status?: number }[]) {
    const asked: string[] = [];
    server = createServer((request, response) => {
      const { body, next, status = 200 } = answers[asked.length]!;
      asked.push(request.url!);
      const link = next === undefined ? {} : { link: `<${next}>; rel="next"` };
      response.writeHead(status, { 'content-type': 'application/json', ...link }).end(body);
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { asked, name: `127.0.0.1:${port}/app` };
  }

  it('sends one request a page, and lists each tag once', async () => {
    const next = '/v2/app/tags/list?n=1000&last=b';
    const { asked, name } = await pages(
      { body: '{"name":"app","tags":["a","b"]}', next },
      { body: '{"name":"app","tags":["b","c\\u001b"]}', next: `${next}c` },
      { body: '{"name":"app","tags":null}' },
    );
    expect(await tags(name, '--plain-http')).toEqual(['a', 'b', 'c\\u001b']);
    expect(asked).toEqual(['/v2/app/tags/list?n=1000', next, `${next}c`]);
  });

  it.each([
    ['is not JSON', '<tags>'],
    ['has no tags', '{"name":"app"}'],
    ['has a tag that is not a string', '{"tags":["a",1]}'],
  ])('refuses a page that %s, and prints nothing', async (_, body) => {
    const { name } = await pages(
      { body: '{"tags":["a"]}', next: '/v2/app/tags/list?last=a' },
      { body },
    );
    const result = await runCli(['tags', name, '--plain-http']);
    expectCode(result, 1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(
      /failed: the registry returned an invalid list of tags: .*\nhint: /,
    );
  });

  it('refuses a list of which a later page is missing', async () => {
    const { name } = await pages(
      { body: '{"tags":["a"]}', next: '/v2/app/tags/list?last=a' },
      { body: '{}', status: 404 },
    );
    expectCode(await runCli(['tags', name, '--plain-http']), 3);
  });
});
