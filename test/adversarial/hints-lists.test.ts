import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { LAYER, OCI_INDEX, type Entry, type LayoutFolder } from '../support/layout.js';
import { Folder } from './support/files.js';
import { expectHint, type Failing } from './support/hints.js';
import { makeListLayout } from './support/list-layout.js';

const folder = new Folder();
const made: LayoutFolder[] = [];
let layout: LayoutFolder;
let amd64: Entry;
let armV7: Entry;

beforeEach(async () => {
  ({ layout, amd64, armV7 } = await makeListLayout());
  const { mediaType, digest, size } = await layout.image({ os: 'linux', architecture: 'arm' }, []);
  await layout.tag({ mediaType, digest, size }, 'otherarm');
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

describe('a list', () => {
  const create = (...more: string[]): string[] => ['create', '--target', named('new'), ...more];

  it.each<Row>([
    [
      'of two images for one platform',
      () => create(named('armv7'), named('otherarm')),
      2,
      /two images have the platform linux\/arm/,
      /^omit one of them, or give it a different variant or OS version$/,
    ],
    [
      'under the digest of another',
      () => ['create', '--target', `oci-layout://${layout.root}@${OTHER}`, named('amd64')],
      2,
      /the published content has a different digest/,
      /^refer to the target by tag$/,
    ],
    [
      'under a tag that is to stay',
      () => ['create', '--no-clobber', '--target', named('list'), named('amd64')],
      6,
      /the tag exists and points to sha256:/,
      /^publish under another tag, or omit --no-clobber to overwrite it$/,
    ],
    [
      'under a tag that has moved',
      () => ['create', '--expect', OTHER, '--target', named('list'), named('amd64')],
      6,
      /is expected to point to/,
      /^another publisher may have moved it: inspect the tag/,
    ],
    [
      'with a warning, where none may be',
      () => create('--strict', '--type', 'docker', named('amd64')),
      2,
      /a warning is an error in strict mode/,
      /^fix it, or omit --strict$/,
    ],
    [
      'of which nothing is there',
      () => create('--ignore-missing', named('none')),
      3,
      /none of its images was found/,
      /^check the names in the warnings; --wait TIME waits for/,
    ],
    [
      'with too many annotations',
      () =>
        create('--type=oci', '--annotation', `a=${'x'.repeat(5 * 1024 * 1024)}`, named('amd64')),
      1,
      /more than the 4194304 that registries accept/,
      /^omit annotations or images$/,
    ],
  ])('%s', async (...row) => check(row));

  it('of an image without platform', async () => {
    await layout.tag(await layout.image({}, []), 'bare');
    await expectHint({
      args: create(named('bare')),
      says: /its platform has no os/,
      hint: /^specify both os and architecture, under platform in a spec/,
    });
  });

  it('of an image for nothing that is known', async () => {
    await layout.tag(await layout.image({ os: 'linus', architecture: 'arm' }, []), 'odd');
    const hint = /^the common ones are linux/;
    await expectHint({ args: create(named('odd')), says: /os "linus" is not known/, hint });
  });

  it('of very many images', async () => {
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': amd64.digest,
    };
    const many = Array.from({ length: 10_002 }, (_, i) => ({
      ...armV7,
      artifactType: `application/vnd.example.${i}`,
      platform: undefined,
      annotations,
    }));
    await layout.tag(await layout.index(many.slice(5001)), 'half');
    await layout.tag(await layout.index(many.slice(0, 5001)), 'other-half');
    await expectHint({
      args: create(named('amd64'), named('half'), named('other-half')),
      code: 1,
      says: /the index has 10003 entries, more than 10000/,
      hint: /^split it into several indexes$/,
    });
  });

  it('in lists in lists', async () => {
    let top = await layout.index([amd64]);
    for (let depth = 0; depth < 6; depth += 1) top = await layout.index([top]);
    await layout.tag(top, 'deep');
    const says = /indexes are nested more than 4 levels deep/;
    const hint =
      /^refer to an index or image inside it by digest: inspect --format raw shows its entries$/;
    await expectHint({
      args: create(named('deep')),
      code: 1,
      says,
      hint,
    });
    await expectHint({
      args: ['copy', named('deep'), `oci-layout://${folder.path}/deep:1`],
      code: 1,
      says,
      hint,
    });
  });

  it('with things that refer to each other without end', async () => {
    let subject: Entry = amd64;
    for (let depth = 0; depth < 6; depth += 1) {
      const { mediaType, digest, size } = subject;
      const layer = await layout.blob(LAYER, `${depth}`);
      subject = await layout.image({}, [layer], { subject: { mediaType, digest, size } });
      await layout.tag(subject);
    }
    await expectHint({
      args: ['copy', '--referrers', named('amd64'), `oci-layout://${folder.path}/deep:2`],
      code: 1,
      says: /its referrers are nested more than 4 levels deep/,
      hint: /^copy it without --referrers, then copy the referrers that you need by digest$/,
    });
  });
});

describe('what is not whole', () => {
  const row = (hint: RegExp, ...args: string[]): Failing => ({
    args,
    code: 6,
    says: /failed: (?:1 defect: |2 defects$)/,
    hint,
  });

  it('is found by verify', async () => {
    const single = /^it is a single image: verify an index, or the image for that platform$/;
    await expectHint(row(single, 'verify', '--platforms', 'linux/386', named('amd64')));
    await layout.tag({ ...(await layout.index([amd64, armV7])), mediaType: OCI_INDEX }, 'broken');
    await rm(path.join(layout.root, 'blobs', armV7.digest.replace(':', '/')));
    const unexpected =
      /^remove the unexpected platforms, or pass --at-least to allow them; push or copy/;
    await expectHint({
      ...row(unexpected, 'verify', '--platforms', 'linux/amd64', named('broken')),
      says: /2 defects$/,
    });
    const damaged = /^push or copy the missing or damaged content again; add and remove change/;
    await expectHint(row(damaged, 'verify', named('broken')));
  });
});

describe('one of several', () => {
  const SUMMARY = /fix the errors above and run it again: what succeeded is not repeated/;
  const taken = (): string => `oci-layout://${folder.path}:1`;
  const pairs = async (...args: string[]): Promise<[string, string][]> => {
    const { stderr, code } = await runCli(['-q', ...args]);
    expect(code).not.toBe(0);
    const lines = stderr.trimEnd().split('\n');
    return lines.flatMap((line, i) => (i % 2 === 0 ? [[line, lines[i + 1] ?? '']] : []));
  };
  const expectPairs = (found: readonly [string, string][], count: number): void => {
    expect(found).toHaveLength(count);
    for (const [message, hint] of found) {
      expect(message).toMatch(/^manifest-tool: .* failed: /);
      expect(hint).toMatch(/^hint: /);
    }
    expect(found.at(-1)![1]).toMatch(SUMMARY);
  };

  it('targets that fails has its own hint, and so has the sum', async () => {
    folder.write('precious.txt', 'x');
    expectPairs(await pairs('copy', named('list'), named('copied'), taken()), 2);
    const other = `oci-layout://${folder.write('file', '')}:1`;
    expectPairs(await pairs('copy', named('list'), taken(), other), 3);
  });

  it('specs that fails has its own hint, and so has the sum', async () => {
    const spec = (target: string): string =>
      `image: ${target}\nmanifests: [{ image: ${named('amd64')} }]\n`;
    const file = folder.write('two.yaml', `${spec(named('one'))}---\n${spec(taken())}`);
    folder.write('precious.txt', 'x');
    expectPairs(await pairs('push', '--type', 'oci', 'from-spec', file), 2);
  });
});

describe('an interrupt', () => {
  it.each<Row>([
    [
      'of a read',
      () => ['inspect', named('list')],
      130,
      /it was interrupted$/,
      /^run it again to com/,
    ],
    [
      'of a publish',
      () => ['copy', named('list'), named('copied')],
      130,
      /it was interrupted; nothing was published$/,
      /^run it again: blobs and images that were uploaded are not sent again$/,
    ],
  ])('%s', async (_, args, code, says, hint) => {
    await expectHint({ args: args(), code, says, hint, signal: AbortSignal.abort() });
  });
});
