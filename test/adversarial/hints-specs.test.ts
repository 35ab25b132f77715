import { describe, expect, it } from 'vitest';
import { runCli, spawnCli } from '../support/cli.js';
import { Folder } from './support/files.js';
import { expectHint } from './support/hints.js';

const folder = new Folder();

type Row = readonly [name: string, text: string, says: RegExp, hint: RegExp];

/** A spec that is right but for what `lines` say. */
const spec = (...lines: string[]): string =>
  ['image: x.test/app:1', 'manifests: [{ image: x.test/app:a }]', ...lines].join('\n');
const entry = (text: string): string => `image: x.test/app:1\nmanifests:\n  - ${text}\n`;

/** Errors of what stands in a spec: the same of `spec check` and of a push. */
const WRONG: readonly Row[] = [
  [
    'not YAML',
    'image: [\n',
    /it is not valid YAML/,
    /^check indentation, brackets and quotes there/,
  ],
  ['a tab that indents', 'image: a\nmanifests:\n\t- image: b\n', /Tabs/, /^indent with spaces/],
  [
    'no blank after a colon',
    'image:a:1\nmanifests:\n- image: b\n',
    /it is not valid YAML/,
    /^add a space after the colon: image: a:1$/,
  ],
  [
    'no space after the colon of an entry',
    'image: a\nmanifests:\n- image:b:1\n',
    /manifests\[0\] must be a mapping/,
    /^add a space after the colon: image: b:1$/,
  ],
  [
    'no space after the colon of a second key',
    'image: a\nmanifests:\n- image: b\n  platform:linux/arm64\n',
    /it is not valid YAML/,
    /^add a space after the colon: platform: linux\/arm64$/,
  ],
  ['empty', '', /it is empty/, /^check that the file or pipe contains a spec; /],
  [
    'a list',
    '- x\n',
    /the spec must be a mapping, but is a list/,
    /^write a line KEY: VALUE for each key$/,
  ],
  [
    'a string',
    'x\n',
    /the spec must be a mapping, but is a string/,
    /^write a line KEY: VALUE for each key$/,
  ],
  ['without image', 'manifests: []\n', /"image" is missing/, /^write image: host\/repository:tag$/],
  ['an image of nothing', 'image:\n', /"image" is missing/, /^write image: host\/repository:tag$/],
  [
    'without manifests',
    'image: x\n',
    /"manifests" is missing/,
    /^write manifests: and below it a line/,
  ],
  ['manifests of nothing', 'image: x\nmanifests: []\n', /"manifests" is empty/, /^write manif/],
  ['manifests of a string', 'image: x\nmanifests: y\n', /must be a list/, /^write a line "- ITEM"/],
  ['an entry without image', entry('platform: {}'), /has no "image"/, /^add image: host/],
  [
    'an entry of a string',
    entry('x.test/app'),
    /must be a mapping, but is a string/,
    /^write a line KEY: VALUE/,
  ],
  [
    'a list for a string',
    'image: [x]\nmanifests: [x]',
    /must be a string, but is a list/,
    /^write KEY: VALUE, with quotes around/,
  ],
  ['a string for a list', spec('tags: latest'), /tags must be a list/, /^write tags: \[latest\]$/],
  [
    'a bad tag',
    spec('tags: [a b]'),
    /tags\[0\] "a b" is not a valid tag/,
    /^a tag consists of up to 128 letters/,
  ],
  ['a bad reference', entry('image: x.test/App:1'), /in lower case/, /^write it as app$/],
  ['an empty reference', 'image: ""\nmanifests: [{ image: x }]', /it is empty/, /^write host\/rep/],
  [
    'no such alias',
    'image: *x\n',
    /the alias \*x, which is not defined/,
    /^define it earlier with &x/,
  ],
  [
    'an unknown os',
    entry('{ image: x, platform: { os: linus, architecture: arm } }'),
    /os "linus"/,
    /^the common ones are linux/,
  ],
  [
    'an unknown architecture',
    entry('{ image: x, platform: { os: linux, architecture: amd46 } }'),
    /"amd46" is not known/,
    /^the common ones are amd64/,
  ],
  [
    'an unknown variant',
    entry('{ image: x, platform: { os: linux, architecture: arm, variant: v1 } }'),
    /"v1" is not a variant of arm/,
    /^its variants are v5, v6, v7 and v8$/,
  ],
];

/** Errors that a publish has only where it would publish. */
const REFUSED: readonly Row[] = [
  [
    'annotations',
    spec('annotations: { a: b }'),
    /no annotations/,
    /^pass --type oci, or omit the annotations$/,
  ],
  [
    'one image twice',
    'image: x\nmanifests: [{ image: y }, { image: y }]\n',
    /manifests\[1\] is for/,
    /^remove one of them, or distinguish them by variant, OS version/,
  ],
];

describe('a spec', () => {
  it.each([...WRONG, ...REFUSED])('spec check: %s', async (_, text, says, hint) => {
    await expectHint({ args: ['spec', 'check', folder.write('a.yaml', text)], says, hint });
  });

  it.each(WRONG)('push: %s', async (_, text, says, hint) => {
    await expectHint({ args: ['push', 'from-spec', folder.write('a.yaml', text)], says, hint });
  });

  it.each<readonly [option: string, ...Row]>([
    [
      '--strict',
      'an unknown key',
      spec('tag: x'),
      /a warning is an error in strict mode: /,
      /^fix it, or omit --strict$/,
    ],
    [
      '--strict',
      'more of them',
      spec('a: x', 'b: y'),
      /2 warnings are errors in strict mode: .*; /,
      /^fix them, or omit --strict$/,
    ],
    [
      '--env',
      'an unknown variable',
      'image: ${NONE}\nmanifests: [x]',
      /variable NONE/,
      /^set it, or write/,
    ],
    [
      '--env',
      'a variable without braces',
      'image: x.test/app:$VERSION\nmanifests: [x]',
      /image/,
      /^\$VERSION is not replaced: write \$\{VERSION\}$/,
    ],
    [
      '--strict',
      'a variable without braces, and without --env',
      'image: x.test/app:$VERSION\nmanifests: [x]',
      /image/,
      /^\$VERSION is not replaced: write \$\{VERSION\}, and pass --env/,
    ],
  ])('with %s: %s', async (option, _, text, says, hint) => {
    const file = folder.write('a.yaml', text);
    await expectHint({ args: ['spec', 'check', option, file], says, hint });
    await expectHint({ args: ['push', 'from-spec', option, file], says, hint });
  });

  it('whose tag another one has', async () => {
    const args = [folder.write('twice.yaml', `${spec()}\n---\n${spec()}\n`)];
    const says = /two specs publish x\.test\/app:1/;
    await expectHint({
      args: ['push', 'from-spec', ...args],
      says,
      hint: /^change the tag in one of them; spec check/,
    });
    const { stderr } = await runCli(['spec', 'check', ...args]);
    expect(stderr).toMatch(
      /is also published by \S+: which of them .*\nhint: change the tag of one of them\n/,
    );
    expect(stderr).toMatch(
      /1 of 2 failed, the others succeeded\nhint: fix the errors above and run it again: [^\n]+\n$/,
    );
  });

  it('that is one of several, with an option for one', async () => {
    const file = folder.write('several.yaml', `${spec()}\n---\n${spec().replace(':1', ':2')}\n`);
    await expectHint({
      args: ['push', 'from-spec', '-t', 'x', file],
      says: /--tag accepts only one spec, not 2/,
      hint: /^list the tags in the specs$/,
    });
  });

  // In a process of its own: there the stack ends at the same place each time.
  it('that is nested without end', async () => {
    const file = folder.write('deep.yaml', '['.repeat(20_000));
    const { stderr } = await spawnCli(['spec', 'check', file]).done;
    expect(stderr).toMatch(/nested too deeply\nhint: check that it is the right file[^\n]*\n$/);
  });

  it('has its hint in the document of --json', async () => {
    const { stdout } = await runCli(['spec', 'check', '--json', folder.write('a.yaml', '')]);
    expect(JSON.parse(stdout)).toMatchObject([{ error: { hint: expect.stringMatching(/REF/) } }]);
  });
});

describe('a file of specs', () => {
  it.each<readonly [name: string, file: () => string, says: RegExp, hint: RegExp]>([
    ['that is not there', () => '/nowhere/a.yaml', /no such file/, /^check the path$/],
    [
      'below a file',
      () => '/dev/null/a.yaml',
      /a part of the path is not a dir/,
      /^check the path$/,
    ],
    ['that is a directory', () => folder.path, /it is a directory/, /^use a file in it$/],
    ['with a name without end', () => 'a'.repeat(300), /name is too long/, /^use a shorter path$/],
    [
      'that is large',
      () => folder.write('l', 'a'.repeat(2 ** 21)),
      /1024 KiB/,
      /^check that it is th/,
    ],
    ['that is no text', () => '/usr/bin/env', /UTF-8/, /^save it in UTF-8$/],
  ])('%s', async (_, file, says, hint) => {
    await expectHint({ args: ['push', 'from-spec', file()], says, hint });
    await expectHint({ args: ['spec', 'check', file()], says, hint });
  });
});
