import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES, optionsOf } from '../../src/cli/args/commands.js';
import { COMMON_PLATFORMS } from '../../src/cli/args/completion/table.js';
import { OPTIONS } from '../../src/cli/args/options.js';
import { formatPlatform, parsePlatform } from '../../src/oci/platform.js';
import { runCli } from '../support/cli.js';
import { completions, SHELLS } from '../support/shells.js';

const folder = mkdtempSync(path.join(tmpdir(), 'mt-completion-'));
const script = (shell: string): string => path.join(folder, `script.${shell}`);

beforeAll(async () => {
  mkdirSync(path.join(folder, 'files/layout/blobs'), { recursive: true });
  for (const name of ['one.yaml', 'only.pem', 'two.yaml'])
    writeFileSync(path.join(folder, 'files', name), '');
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await runCli(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    writeFileSync(script(shell), stdout);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const long = (names: readonly string[]): string[] => names.map((name) => `--${name}`).toSorted();
const files = `${folder}/files`;
const platforms = (start: string, before = ''): string[] =>
  COMMON_PLATFORMS.filter((each) => each.startsWith(start)).map((each) => `${before}${each}`);

/** A line behind `manifest-tool `, and all that is offered behind it. */
const CASES: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['', [...new Set(COMMAND_NAMES.map((name) => name.split(' ')[0]!))]],
  ['ins', ['inspect']],
  ['push ', ['from-args', 'from-spec']],
  ['push from-s', ['from-spec']],
  ['spec c', ['check']],
  ['push --type oci from-a', ['from-args']],
  ['--retry 3 -u me push --type=oci --strict from-a', ['from-args']],
  ['-type oci push from-a', ['from-args']],
  ['completion ', SHELLS],
  ['completion bash ', []],
  // Options: of the command at hand, those that are not there yet, on both sides of the command.
  ['push from-spec --ty', ['--type']],
  ['inspect --ty', []],
  ['push --templ', ['--template']],
  ['inspect --raw --expand', ['--expand-config']],
  ['inspect --expand-config --expand', []],
  ['push from-args --annotation a=b --annotatio', ['--annotation', '--annotations']],
  ['-u me inspect --usern', []],
  ['inspect -- --ra', []],
  // Values, in both forms.
  ['push --type ', ['auto', 'docker', 'oci']],
  ['push from-spec --type o', ['oci']],
  ['push from-spec --type=', ['--type=auto', '--type=docker', '--type=oci']],
  ['push from-spec --type=o', ['--type=oci']],
  ['create --attestations d', ['drop']],
  ['create --attestations=', ['--attestations=drop', '--attestations=keep']],
  ['annotate --os win', ['windows']],
  ['annotate --arch ppc64', ['ppc64', 'ppc64le']],
  ['--retry ', []],
  ['push from-args --tags la', []],
  // Platforms, of which each is offered once.
  ['push from-args --platforms linux/s', ['linux/s390x']],
  ['push from-args --platforms linux/amd64,linux/ar', platforms('linux/ar', 'linux/amd64,')],
  ['push from-args --platforms=linux/s', ['--platforms=linux/s390x']],
  [
    'push from-args --platforms=linux/386,windows/',
    platforms('windows/', '--platforms=linux/386,'),
  ],
  [
    'verify --platforms windows/386,windows/amd64,windows/',
    ['windows/386,windows/amd64,windows/arm64'],
  ],
  ['remove a:1 --platform riscv', []],
  ['remove localhost:5000/a:1 --platform linux/risc', ['linux/riscv64']],
  // Files and directories.
  [`push from-spec ${files}/on`, [`${files}/one.yaml`, `${files}/only.pem`]],
  [`push from-spec ${files}/one.yaml ${files}/tw`, [`${files}/two.yaml`]],
  [`spec check ${files}/one.yaml --strict ${files}/two.yaml ${files}/tw`, [`${files}/two.yaml`]],
  [`push from-spec -- ${files}/tw`, [`${files}/two.yaml`]],
  [`inspect ${files}/tw`, []],
  [`inspect --ca-file ${files}/onl`, [`${files}/only.pem`]],
  [`inspect --ca-file=${files}/onl`, [`--ca-file=${files}/only.pem`]],
  [`create --digestfile ${files}/tw`, [`${files}/two.yaml`]],
  [`--docker-cfg ${files}/la`, [`${files}/layout`]],
  [`--cert-dir ${files}/la`, [`${files}/layout`]],
  [`--cert-dir ${files}/on`, []],
  // Layouts and archives.
  ['inspect oci-', ['oci-archive:', 'oci-layout:/']],
  ['inspect o', ['oci-archive:', 'oci-layout:/', 'oci:', 'ocidir:/']],
  ['copy docker', ['docker-archive:']],
  [`inspect oci:${files}/la`, [`oci:${files}/layout`]],
  [`inspect oci:${files}/on`, []],
  [
    `inspect oci-archive:${files}/on`,
    [`oci-archive:${files}/one.yaml`, `oci-archive:${files}/only.pem`],
  ],
  [`copy docker-archive://${files}/tw`, [`docker-archive://${files}/two.yaml`]],
  [`create --target=oci-archive://${files}/la`, [`--target=oci-archive://${files}/layout`]],
  [`inspect oci-layout://${files}/la`, [`oci-layout://${files}/layout`]],
  [`copy localhost:5000/a:1 ocidir://${files}/la`, [`ocidir://${files}/layout`]],
  [
    `create --target=oci-layout://${files}/layout/bl`,
    [`--target=oci-layout://${files}/layout/blobs`],
  ],
  [`copy a b oci-layout://${files}/la`, [`oci-layout://${files}/layout`]],
  [`query a oci-layout://${files}/la`, []],
];

describe.each(SHELLS)('completion in %s', (shell) => {
  const offers = (lines: readonly string[]): string[][] =>
    completions(
      shell,
      script(shell),
      lines.map((line) => `manifest-tool ${line}`),
    );

  it('offers what fits', () => {
    // Where nothing begins with what is typed, fish offers what has it inside.
    const cases = CASES.filter(([, offered]) => shell !== 'fish' || offered.length > 0);
    const offered = offers(cases.map(([line]) => line));
    const all = cases.map(([line], i) => [line, offered[i]]);
    expect(all).toEqual(cases.map(([line, wanted]) => [line, wanted.toSorted()]));
  });

  it('offers the options of each command, and no others', () => {
    const lines = COMMAND_NAMES.map((name) => `${name} --`);
    expect(offers(lines)).toEqual(COMMAND_NAMES.map((name) => long(optionsOf(name))));
  });

  it('offers the values of each option that has a closed set of them', () => {
    const closed = COMMAND_NAMES.flatMap((command) =>
      optionsOf(command).flatMap((name) => {
        const option = OPTIONS[name];
        if (option.kind !== 'choice') return [];
        return [{ line: `${command} --${name}`, values: option.values }];
      }),
    );
    expect(closed.length).toBeGreaterThan(3);
    const wanted = closed.map(({ values }) => values.toSorted());
    expect(offers(closed.map(({ line }) => `${line} `))).toEqual(wanted);
  });
});

describe('completion', () => {
  it('refuses a shell that it does not know', async () => {
    expect(await runCli(['completion', 'bsh'])).toEqual({
      code: 2,
      stdout: '',
      stderr:
        'manifest-tool: reading the command line failed: there is no completion script for "bsh" (did you mean bash?)\n' +
        'hint: the shells are bash, zsh and fish\n',
    });
    expect(await runCli(['completion'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('offers platforms in their proper form', () => {
    for (const platform of COMMON_PLATFORMS)
      expect(formatPlatform(parsePlatform(platform))).toBe(platform);
  });
});
