import { execFileSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { LAYER, LayoutFolder, type Entry } from '../support/layout.js';
import { Folder } from './support/files.js';
import { expectHint } from './support/hints.js';

const folder = new Folder();
const made: LayoutFolder[] = [];
let layout: LayoutFolder;
let image: Entry & { readonly config: Entry };
let layer: Entry;

beforeEach(async () => {
  layout = await LayoutFolder.make();
  made.push(layout);
  layer = await layout.blob(LAYER, 'a layer');
  image = await layout.image({ os: 'linux', architecture: 'amd64' }, [layer]);
  await layout.tag(image, '1');
});

afterAll(() => Promise.all(made.map((each) => each.remove())));

const at = (name: string): string => path.join(layout.root, name);
const fileOf = ({ digest }: Entry): string => at(`blobs/${digest.replace(':', '/')}`);
const byDigest = ({ digest }: Entry): string[] => [
  'inspect',
  `oci-layout://${layout.root}@${digest}`,
];

const MAKE = /^make a layout with "skopeo copy docker:/;
const DAMAGED = /^the layout is damaged: create it again with the tool that made it$/;

describe('a directory', () => {
  it.each<readonly [string, () => string, code: number, says: RegExp, hint: RegExp]>([
    ['that is not there', () => '/no/layout', 3, /does not exist/, MAKE],
    [
      'that is none',
      () => folder.write('archive.tar', ''),
      1,
      /is a file/,
      /^for an archive, use oci-archive:/,
    ],
    ['that is no layout', () => folder.path, 1, /it has no oci-layout file/, MAKE],
    ['below a file', () => '/dev/null/x', 1, /a part of the path is not/, /^check the path$/],
    ['of a name without end', () => `/${'x'.repeat(300)}`, 1, /too long/, /^use a shorter path$/],
  ])('%s', async (_, directory, code, says, hint) => {
    await expectHint({ args: ['inspect', `oci-layout://${directory()}:1`], code, says, hint });
  });

  it('of other things is not written to', async () => {
    folder.write('precious.txt', 'x');
    await expectHint({
      args: ['copy', layout.reference('1'), `oci-layout://${folder.path}:1`],
      code: 1,
      says: /is not an OCI image layout: it contains/,
      hint: /^use a layout, an empty directory, or one that does not exist$/,
    });
  });
});

describe('a layout', () => {
  type Row = readonly [
    name: string,
    change: () => unknown,
    code: number,
    says: RegExp,
    hint: RegExp,
  ];
  it.each<Row>([
    [
      'of another version',
      () => writeFile(at('oci-layout'), '{"imageLayoutVersion":"2.0.0"}'),
      1,
      /of version "2\.0\.0"/,
      /^only layouts of version 1 are supported$/,
    ],
    [
      'with a marker of nothing',
      () => writeFile(at('oci-layout'), 'x'),
      1,
      /oci-layout: /,
      DAMAGED,
    ],
    ['without index.json', () => rm(at('index.json')), 1, /has no index\.json/, DAMAGED],
    [
      'with an index of no JSON',
      () => writeFile(at('index.json'), 'x'),
      1,
      /index\.json: /,
      DAMAGED,
    ],
    [
      'with an index of another form',
      () => writeFile(at('index.json'), '{"manifests":1}'),
      1,
      /is not a list/,
      DAMAGED,
    ],
    [
      'without a blob',
      () => rm(fileOf(image)),
      3,
      /has no blob/,
      /^check the digest, or copy the whole/,
    ],
    [
      'without a configuration',
      () => rm(fileOf(image.config)),
      3,
      /has no blob/,
      /^check the digest, or/,
    ],
    ['with a blob that is cut', () => truncate(fileOf(image), 5), 1, /it has 5 bytes/, DAMAGED],
    [
      'with a blob that is damaged',
      () => writeFile(fileOf(image), 'x'.repeat(image.size)),
      1,
      /damaged: its digest is not/,
      DAMAGED,
    ],
    [
      'with a link for a blob',
      async () => {
        await writeFile(at('elsewhere'), 'x');
        await rm(fileOf(image));
        await symlink(at('elsewhere'), fileOf(image));
      },
      1,
      /a symbolic link, which is not followed/,
      /^replace the link with the file itself$/,
    ],
    [
      'whose blobs are elsewhere',
      async () => {
        await rename(at('blobs/sha256'), at('elsewhere'));
        await symlink('../elsewhere', at('blobs/sha256'));
      },
      1,
      /\/blobs\/sha256: it is a symbolic link, which is not followed/,
      /^replace the link with the directory itself$/,
    ],
    ...['index.json', 'oci-layout'].map((name): Row => [
      `with a named pipe for ${name}`,
      async () => {
        await rm(at(name));
        execFileSync('mkfifo', [at(name)]);
      },
      1,
      new RegExp(`/${name}: it is not a regular file`),
      DAMAGED,
    ]),
    [
      'with a directory for a blob',
      async () => {
        await rm(fileOf(image));
        await mkdir(fileOf(image));
      },
      1,
      /not a regular file/,
      DAMAGED,
    ],
  ])('%s', async (_, change, code, says, hint) => {
    await change();
    await expectHint({ args: ['inspect', layout.reference('1')], code, says, hint });
  });

  it('without the tag', async () => {
    const args = ['inspect', layout.reference('none')];
    await expectHint({ args, code: 3, says: /has no tag none/, hint: /^available tags: 1$/ });
  });

  it('with a tag of several names', async () => {
    await layout.tag(image, 'x.test/a:2');
    await layout.tag(await layout.image({ os: 'linux' }, []), 'x.test/b:2');
    await expectHint({
      args: ['inspect', layout.reference('2')],
      code: 2,
      says: /2 refers to several images: x\.test\/a:2 \(sha256:/,
      hint: /^refer to one by digest, or select one with --platform$/,
    });
  });

  it('of which a layer is named', async () => {
    await expectHint({
      args: byDigest(layer),
      code: 1,
      says: /unexpected "a"/,
      hint: /^check that the reference is to an image or an index$/,
    });
    const large = await layout.blob(LAYER, 'x'.repeat(5 * 1024 * 1024));
    await expectHint({
      args: byDigest(large),
      code: 1,
      says: /more than the limit of 4194304 for a document/,
      hint: /^check the digest: no index, manifest or config is that large$/,
    });
  });

  it('whose image is damaged cannot be copied', async () => {
    await writeFile(fileOf(layer), 'A layer');
    await expectHint({
      args: ['copy', layout.reference('1'), `oci-layout://${at('copied')}:1`],
      code: 1,
      says: /reading oci-layout:\S+@sha256:\S+ failed: (the content received does not have|its digest is not)/,
      hint: /^the source is damaged: build the image there again, or push it again$/,
    });
  });

  it('in whose way something is', async () => {
    await rm(at('index.json'));
    await mkdir(at('index.json'));
    await expectHint({
      args: ['copy', 'oci-layout://fixtures/layout:linux-amd64', layout.reference('2')],
      code: 1,
      says: /index\.json: it is not a regular file/,
      hint: DAMAGED,
    });
  });

  it('whose blobs would be written elsewhere', async () => {
    await mkdir(at('target'));
    await symlink('../blobs', at('target/blobs'));
    const before = await readdir(at('blobs/sha256'));
    await expectHint({
      args: ['copy', 'oci-layout://fixtures/layout:linux-amd64', `oci-layout://${at('target')}:1`],
      code: 1,
      says: /\/target\/blobs: it is a symbolic link, which is not followed/,
      hint: /^replace the link with the directory itself$/,
    });
    expect(await readdir(at('blobs/sha256'))).toEqual(before);
  });

  it('that names too many images', async () => {
    // As it is it can be read: it is written with blanks.
    const { mediaType, digest, size } = image;
    const manifests = Array.from({ length: 24_000 }, () => ({ mediaType, digest, size }));
    await writeFile(at('index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await expectHint({
      args: ['copy', 'oci-layout://fixtures/layout:linux-amd64', layout.reference('2')],
      code: 1,
      says: /would be larger than 4194304 bytes/,
      hint: /^write to another layout or archive: this one contains too many images$/,
    });
  });
});
