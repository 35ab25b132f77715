import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnCli } from '../support/cli.js';
import { Folder } from './support/files.js';
import { expectHint, expectTwoLines, type Failing } from './support/hints.js';

const folder = new Folder();
const IMAGE = 'oci-layout://fixtures/layout:linux-amd64';
const OTHER = 'oci-layout://fixtures/layout:linux-s390x';
const DIGEST = `sha256:${'0'.repeat(64)}`;
/** A layout that nothing is written to. */
const TARGET = `oci-layout://${folder.path}/target`;

const fromArgs = (platforms: string, ...more: string[]): string[] => {
  const images = ['--template', 'x.test/app:OS-ARCH', '--target', 'x.test/app:1'];
  return ['push', 'from-args', '--platforms', platforms, ...images, ...more];
};
const create = (...more: string[]): string[] => ['create', '--target', `${TARGET}:1`, ...more];

afterAll(() => rmSync(path.join(folder.path, 'target'), { recursive: true, force: true }));

type Row = readonly [args: readonly string[], says: RegExp, hint: RegExp];

describe('a command line that cannot be read', () => {
  it.each<Row>([
    [['--raw'], /no command is given/, /^commands: inspect, .*, version$/],
    [['inspct', 'x'], /unknown command "inspct"/, /^commands: inspect, /],
    [['push', '--type', 'oci'], /push needs a command/, /^commands of push: from-args, from-spec$/],
    [['spec', 'chek'], /unknown command "chek" of spec/, /^commands of spec: check, from$/],
    [
      ['inspect', '--formt', 'json', 'x'],
      /unknown option --formt/,
      /^see "manifest-tool inspect --help"$/,
    ],
    [
      ['inspect', '--tags', 'a', 'x'],
      /inspect has no option --tags/,
      /^see "manifest-tool inspect --help"$/,
    ],
    [['inspect', 'x', '--username'], /--username needs a value/, /^write --username NAME: /],
    [['inspect', '--debug=some', 'x'], /--debug takes no value/, /^write --debug, or omit it$/],
    [['inspect', '-u', 'a', '-u', 'b', 'x'], /--username is given 2 times/, /^pass it once$/],
    [
      ['push', 'from-args'],
      /needs --platforms, --template, --target/,
      /^usage: manifest-tool push from-args --platforms P,/,
    ],
    [['inspect'], /inspect needs REF/, /^usage: manifest-tool inspect REF/],
    [
      ['inspect', 'a', 'b'],
      /unexpected argument "b" for inspect/,
      /^usage: manifest-tool inspect REF/,
    ],
  ])('%j', async (args, says, hint) => {
    await expectTwoLines({ args, says, hint });
  });

  it.each<Row>([
    [
      ['inspect', '--progress', 'loud', 'x'],
      /--progress must be auto, .* or none, not "loud"/,
      /^see "manifest-tool inspect --help"$/,
    ],
    [['-q', '--progress', 'json', 'inspect', 'x'], /--quiet or --progress/, /^--quiet shows/],
  ])('%j', async (args, says, hint) => {
    await expectTwoLines({ args, says, hint });
  });
});

describe('an option', () => {
  it.each<Row>([
    [
      ['inspect', '--format', 'jsn', 'x'],
      /--format must be json, .*, not "jsn"/,
      /^see "manifest-tool inspect --help"$/,
    ],
    [
      create('--type', 'ocl', IMAGE),
      /--type must be docker, oci or auto, not "ocl"/,
      /^see "manifest-tool create --help"$/,
    ],
    [
      create('--attestations', 'all', IMAGE),
      /must be keep or drop, not "all"/,
      /^see "manifest-tool create --help"$/,
    ],
    [
      ['inspect', '--retry', 'many', 'x'],
      /--retry "many" is not a number/,
      /^for example --retry 4$/,
    ],
    [['inspect', '-j', '0', 'x'], /--concurrency "0" is not/, /^for example --concurrency 4$/],
    [
      ['inspect', '--timeout', 'soon', 'x'],
      /--timeout "soon" is not a duration/,
      /500ms, 2s or 1m30s$/,
    ],
    [create('--wait', '0s', IMAGE), /--wait "0s" is not a duration/, /^for example --wait 500ms/],
    [['inspect', '--insecure=', 'x'], /--insecure= has no host/, /--insecure=localhost:5000$/],
    [
      create('--expect', 'sha256:abc', IMAGE),
      /--expect "sha256:abc"/,
      /^"manifest-tool digest REF" prints/,
    ],
    [
      create('--tags', 'a,,b', IMAGE),
      /--tags has an empty item/,
      /^separate values with commas, without spaces: --tags a,b$/,
    ],
    [
      create('--tags', '-x', IMAGE),
      /--tags "-x" is not a valid tag/,
      /^a tag consists of up to 128 letters/,
    ],
    [create('--tag', `x@${DIGEST}`, IMAGE), /has a digest/, /^name a tag$/],
    [create('--tag', 'a', '--tag', 'a', IMAGE), /--tag "a" is given twice/, /^pass it once$/],
    [
      create('--annotations', 'a', IMAGE),
      /--annotations "a" is not/,
      /^a comma ends an annotation/,
    ],
    [
      create('--annotation', 'a', IMAGE),
      /--annotation "a" is not of the form/,
      /^for example org\./,
    ],
    [
      create('--annotation', 'manifest:a=b', IMAGE),
      /"manifest" is not a level/,
      /^the levels are index and/,
    ],
    [
      create('--annotation', 'manifest-descriptor[linux]:a=b', IMAGE),
      /os\/arch/,
      /^the common ones are linux\/amd64/,
    ],
    [
      create('--digestfile', `${folder.path}/no/d`, IMAGE),
      /--digestfile/,
      /^use a file in an existing/,
    ],
    [create('--metadata-file', '/dev', IMAGE), /--metadata-file/, /^use a file in an existing/],
    [fromArgs('linux/arm/v7/x'), /not of the form os\/arch/, /^the common ones are linux\/amd64/],
    [fromArgs('linus/amd64'), /os "linus" is not known/, /^the common ones are linux, windows/],
    [
      fromArgs('linux/amd64 linux/arm64'),
      /a platform contains no spaces/,
      /^separate platforms with commas: linux\/amd64,linux\/arm64$/,
    ],
    [fromArgs('linux/amd46'), /architecture "amd46" is not/, /^the common ones are amd64, arm64/],
    [
      fromArgs('linux/arm/v9'),
      /"v9" is not a variant of arm/,
      /^its variants are v5, v6, v7 and v8$/,
    ],
    [fromArgs('linux/arm64/v7'), /not a variant of arm64/, /^its variants are v8 and v9/],
    [fromArgs('linux/amd64/v5'), /not a variant of amd64/, /^its variants are v1, v2, v3 and v4$/],
    [
      fromArgs('linux/amd64,linux/x86_64'),
      /lists linux\/amd64 twice/,
      /^list it once, or add a variant/,
    ],
    [fromArgs('linux/amd64', '--annotations', 'a=b'), /no annotations/, /^pass --type oci, or/],
    [
      ['push', 'from-args', '--platforms=linux/386', '--template=x/App:OS', '--target=x/y:1'],
      /template "x\/App:OS"/,
      /^write it as x\/app$/,
    ],
    [['verify', '--platforms', 'linux', IMAGE], /os\/arch/, /^the common ones are linux\/amd64/],
  ])('%j', async (args, says, hint) => {
    await expectHint({ args, says, hint });
  });
});

describe('options that do not go together', () => {
  it.each<Row>([
    [
      ['inspect', '--raw', '--format', 'json', 'x'],
      /--raw or --format/,
      /^--raw selects the format of/,
    ],
    [['inspect', '--expand-config', 'x'], /--expand-config needs --raw/, /^pass both, or --config/],
    [['inspect', '--raw', '--config', '--expand-config', 'x'], /not both/, /^--config shows only/],
    [
      ['inspect', '--config', '--format', 'table', 'x'],
      /combined with --format table/,
      /^pass --config without/,
    ],
    [
      ['inspect', '--config', '--referrers', 'x'],
      /combined with --config/,
      /--format table or json$/,
    ],
    [['inspect', '--platform', 'linux/386,linux/arm', 'x'], /has 2 platforms/, /one at a time$/],
    [
      ['remove', 'x'],
      /needs --platform or --digest/,
      /^usage: manifest-tool remove REF --platform P/,
    ],
    [['annotate', 'x'], /needs a change/, /^pass --annotation KEY=VALUE for the index/],
    [
      ['annotate', 'x', '--variant', 'v8'],
      /no entry is selected/,
      /^add --platform P or --digest DIGEST; "manifest-tool digest --all x"/,
    ],
    [['annotate', 'x', '--platform=linux/386', '--os=linus'], /os "linus"/, /^the common ones are/],
    [
      ['annotate', 'x', '--annotation', 'manifest-descriptor:a=b'],
      /annotate changes the index, not manifest-descriptor/,
      /^select entries with --platform or --digest/,
    ],
    [
      ['remove', 'x', '--digest', 'sha256:1'],
      /--digest "sha256:1"/,
      /^"manifest-tool digest REF" prints/,
    ],
    [
      ['add', `x@${DIGEST}`, 'y'],
      /is a digest, and only a tag can be edited/,
      /^refer to the index by tag$/,
    ],
    [['copy', 'x', 'y', 'y'], /given twice/, /^pass it once$/],
    [['copy', 'x', 'y:1', 'y'], /repeats a target/, /^add a tag, or omit it$/],
    [['copy', 'x', 'y:1', `y@${DIGEST}`], /repeats a target/, /^add a tag, or omit it$/],
    [
      ['push', 'from-spec', '-', '-'],
      /standard input \(-\) is given twice/,
      /^pass it once: it can be read only once$/,
    ],
    [['check-registry', TARGET], /is a layout, not a registry/, /^give HOST\/REPOSITORY$/],
    [['check-registry', 'x.test/app:1'], /has a tag/, /^omit it$/],
    [['check-registry', 'x.test:5000'], /has a tag/, /^add a repository: x.test:5000\/REPO/],
    [
      ['check-registry', `x.test/${'a'.repeat(240)}`],
      /longer than 255/,
      /^check-registry creates .*--tags-only/,
    ],
    [
      ['completion', 'tcsh'],
      /no completion script for "tcsh"/,
      /^the shells are bash, zsh and fish$/,
    ],
  ])('%j', async (args, says, hint) => {
    await expectHint({ args, says, hint });
  });
});

describe('a password', () => {
  it.each<[...Row, stdin?: string]>([
    [
      ['inspect', '-p', 'canary', '--password-stdin', 'x'],
      /not both/,
      /^--password-stdin is safer/,
    ],
    [['inspect', '--password-stdin', 'x'], /needs --username/, /^for example --username NAME/],
    [
      ['inspect', '-u', 'a', '--password-stdin', 'x'],
      /standard input is empty/,
      /^send it there: .* < FILE/,
    ],
    [['inspect', '-p', 'canary', 'x'], /--password needs a user name/, /^add --username NAME$/],
  ])('%j', async (args, says, hint, stdin = '') => {
    await expectHint({ args, says, hint, stdin });
  });
});

describe('a reference', () => {
  const FORM = /^write host\/repository:tag, or oci-layout:\/\/PATH:TAG for a directory$/;

  it.each<readonly [reference: string, says: RegExp, hint: RegExp]>([
    ['', /it is empty/, FORM],
    ['https://x.test/app', /"https:\/\/" is not supported/, /^write it as x\.test\/app$/],
    ['0'.repeat(64), /not the name of a repository/, /^for a digest, write "sha256:" before it/],
    [DIGEST, /needs a repository before it/, /^for example host\/repository@sha256:0+$/],
    ['x_y.test/app', /"x_y\.test" is not a valid host/, /^a host consists of letters, digits/],
    ['x.test:99999/app', /"x\.test:99999" is not a valid host/, /^a host consists of .*:PORT/],
    ['x.test/Team/App:1', /must be in lower case/, /^write it as team\/app$/],
    [
      'x.test/team//app',
      /not a valid repository name/,
      /^it consists of lower-case letters and digits/,
    ],
    [
      `x.test/${'a'.repeat(250)}`,
      /longer than 255 characters/,
      /^choose a shorter repository name/,
    ],
    ['x.test/app:1 0', /"1 0" is not a valid tag/, /^pass each reference as a separate argument/],
    [
      'x.test/app@sha256:abc',
      /64 lower-case hexadecimal digits/,
      /^"manifest-tool digest REF" prints/,
    ],
    [
      'oci-layout://',
      /the path of the layout directory is missing/,
      /^write oci-layout:\/\/PATH:TAG$/,
    ],
    ['oci-layout://a\0b', /NUL/, /^write oci-layout:\/\/PATH:TAG$/],
  ])('%j', async (reference, says, hint) => {
    await expectHint({ args: ['query', reference], says, hint });
  });
});

describe('a result that cannot be written', () => {
  it('to a file, when all is published', async () => {
    const row: Failing = {
      args: ['-q', 'copy', IMAGE, `${TARGET}:full`, '--digestfile', '/dev/full'],
      code: 1,
      says: /writing --digestfile \/dev\/full failed/,
      hint: /^the image is published; "manifest-tool digest REF"/,
    };
    await expectTwoLines(row);
  });

  it('to standard output', async () => {
    const { child, done } = spawnCli(
      [
        '-c',
        'exec "$0" "$@" > /dev/full',
        process.execPath,
        'bin/manifest-tool.cjs',
        'query',
        OTHER,
      ],
      { program: '/bin/sh' },
    );
    const { code, stderr } = await done;
    expect(child.exitCode).toBe(1);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^manifest-tool: writing to standard output failed: ENOSPC[^\n]*\nhint: free some space, or redirect standard output to another place\n$/,
    );
  });
});

it('warns of placeholders in lower case, which are no error: they may be part of a name', async () => {
  const template = ['--template', 'oci-layout://none:os-arch', '--target', `${TARGET}:1`];
  const result = await spawnCli(['push', 'from-args', '--platforms=linux/amd64', ...template]).done;
  expect(result.stderr).toMatch(
    /^manifest-tool: warning: the template "oci-layout:\/\/none:os-arch" has placeholders in lower case, but only OS, ARCH and VARIANT in upper case are replaced$/m,
  );
  expect(result.code).toBe(3);
});
