import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import type { Entry, LayoutFolder } from '../support/layout.js';
import { expectHint } from './support/hints.js';
import { makeListLayout } from './support/list-layout.js';

const made: LayoutFolder[] = [];
let layout: LayoutFolder;
let amd64: Entry;

beforeEach(async () => {
  ({ layout, amd64 } = await makeListLayout());
  made.push(layout);
});

afterAll(() => Promise.all(made.map((each) => each.remove())));

const named = (tag: string): string => layout.reference(tag);
const OTHER = `sha256:${'0'.repeat(64)}`;

type Row = readonly [
  name: string,
  args: () => readonly string[],
  code: number,
  says: RegExp,
  hint: RegExp,
];

async function check([, args, code, says, hint]: Row): Promise<void> {
  await expectHint({ args: args(), code, says, hint });
}

describe('an entry', () => {
  const SHOWN = /^inspect --format table shows its entries$/;
  const select =
    (command: string, tag: string, ...options: string[]) =>
    (): string[] => [command, ...options, named(tag)];

  it.each<Row>([
    [
      'that is not there',
      select('inspect', 'list', '--platform=linux/386'),
      3,
      /it has no entry for linux\/386; it has linux\/amd64, /,
      SHOWN,
    ],
    [
      'of one image',
      select('inspect', 'amd64', '--platform=linux/386'),
      3,
      /it is a single image, for linux\/amd64, not for linux\/386/,
      /^omit --platform to use that image$/,
    ],
    [
      'whose configuration is wanted',
      select('inspect', 'list', '--config'),
      2,
      /it is an index, of linux\/amd64/,
      /^pass --platform, or the digest of an image$/,
    ],
    ['that goes', select('remove', 'list', '--platform=linux/386'), 3, /no entry for linux/, SHOWN],
    [
      'that goes, by digest',
      select('remove', 'list', `--digest=${OTHER}`),
      3,
      /no entry sha/,
      SHOWN,
    ],
    [
      'that could be several',
      select('remove', 'variants', '--platform=linux/arm'),
      2,
      /several entries are for linux\/arm: /,
      /^specify the variant or OS version as well, or the digest$/,
    ],
    [
      'with a variant of none',
      select('annotate', 'list', '--platform=linux/amd64', '--variant=v9'),
      2,
      /"v9" is not a variant of amd64/,
      /^its variants are v1, v2, v3 and v4$/,
    ],
    [
      'of a template without placeholder',
      () => [
        'push',
        'from-args',
        '--platforms=linux/386',
        `--template=${named('list')}`,
        `--target=${named('new')}`,
      ],
      3,
      /it has no entry for linux\/386/,
      SHOWN,
    ],
  ])('%s', async (...row) => check(row));

  it('of a list without images', async () => {
    await layout.tag(await layout.index([]), 'empty');
    const hint = SHOWN;
    const inspect = ['inspect', named('empty')];
    const args = [...inspect, '--platform', 'linux/386'];
    await expectHint({ args, code: 3, says: /it is an index with no entries$/, hint });
    const config = [...inspect, '--config'];
    await expectHint({ args: config, code: 3, says: /it is an index without images/, hint });
    await expectHint({
      args: ['spec', 'from', named('empty')],
      code: 1,
      says: /it has no images that a spec could name/,
      hint: /^copy keeps it unchanged; inspect --format raw shows/,
    });
  });

  it('that is neither an image nor a list', async () => {
    const other = await layout.blob('text/plain', 'x');
    await layout.tag(await layout.index([amd64, other]), 'odd');
    const says = /is neither an image nor an index/;
    await expectHint({
      args: ['inspect', '--raw', named('odd')],
      code: 1,
      says,
      hint: /^--format json and --format table show such entries as well$/,
    });
    await expectHint({
      args: ['create', '--target', named('new'), named('odd')],
      code: 1,
      says,
      hint: /^copy keeps such an index unchanged; inspect --format table shows its entries$/,
    });
  });
});

describe('an edit', () => {
  it.each<Row>([
    [
      'that leaves nothing',
      () => ['remove', named('list'), '--platform=linux/amd64,linux/arm/v6,linux/arm/v7'],
      2,
      /no entry would be left/,
      /^delete the tag in the registry instead$/,
    ],
    [
      'of an image',
      () => ['remove', named('amd64'), '--platform', 'linux/amd64'],
      2,
      /it is an image, not an index/,
      /^create an index from it first, with create$/,
    ],
    [
      'of a list that has changed',
      () => ['annotate', named('list'), '--annotation', 'a=b', '--expect', OTHER],
      6,
      /is expected to point to/,
      /^another publisher may have moved it: inspect the tag/,
    ],
  ])('%s', async (...row) => check(row));

  it('of annotations that a Docker list does not have', async () => {
    const args = ['--type', 'docker', 'create', '--target', named('docker'), named('amd64')];
    expect((await runCli(args)).code).toBe(0);
    await expectHint({
      args: ['annotate', named('docker'), '--annotation', 'a=b'],
      says: /a Docker manifest list has no annotations/,
      hint: /^publish it as an OCI index first: create --type oci$/,
    });
  });

  it('that makes a list too long', async () => {
    const many = Array.from({ length: 10_000 }, () => ({ ...amd64, platform: undefined }));
    await layout.tag(await layout.index(many), 'many');
    await expectHint({
      args: ['add', named('many'), named('armv7')],
      code: 1,
      says: /manifests has 10001 entries, more than 10000/,
      hint: /^divide it into several indexes$/,
    });
  });

  it('that makes a list too large', async () => {
    const annotations = { x: 'x'.repeat(4 * 1024 * 1024 - 1000) };
    await layout.tag(await layout.index([amd64], { annotations }), 'large');
    await expectHint({
      args: ['annotate', named('large'), '--annotation', `y=${'y'.repeat(1000)}`],
      code: 1,
      says: /more than the 4194304 that registries accept/,
      hint: /^omit annotations or images$/,
    });
  });
});
