import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../src/cli/parse.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

/** The command, its words and its options, as plain data. */
async function run(...argv: string[]) {
  const invocation = await parseCommandLine(argv);
  if (invocation.kind !== 'run') throw new Error(`it is ${invocation.kind}`);
  const { positionals, switches, values } = invocation.parsed;
  return {
    command: invocation.command.path.join(' '),
    positionals,
    switches: [...switches],
    values: Object.fromEntries(values),
  };
}

const FROM_ARGS = ['--platforms', 'linux/amd64', '--template', 'a:ARCH', '--target', 'a:1'];

describe('a command line', () => {
  test.each([
    [['--raw', 'inspect', 'app']],
    [['inspect', '--raw', 'app']],
    [['inspect', 'app', '--raw']],
    [['-raw', 'inspect', '--', 'app']],
    [['inspect', '--raw=true', '--expand-config=false', 'app']],
  ])('has its options anywhere: %j', async (argv) => {
    expect(await run(...argv)).toEqual({
      command: 'inspect',
      positionals: ['app'],
      switches: ['raw'],
      values: {},
    });
  });

  test.each([
    [['push', 'from-args', '--type', 'oci', ...FROM_ARGS]],
    [['push', '--type', 'oci', 'from-args', ...FROM_ARGS]],
    [['--type=oci', 'push', 'from-args', ...FROM_ARGS]],
    [[...FROM_ARGS, 'push', '-type', 'oci', 'from-args']],
  ])('has them between the words of a command: %j', async (argv) => {
    expect(await run(...argv)).toMatchObject({
      command: 'push from-args',
      positionals: [],
      values: { type: ['oci'], platforms: ['linux/amd64'], template: ['a:ARCH'], target: ['a:1'] },
    });
  });

  test('keeps words and values as text, in their order', async () => {
    expect(await run('inspect', '1.10')).toMatchObject({ positionals: ['1.10'] });
    expect(await run('inspect', '0x10', '--username', '007')).toMatchObject({
      positionals: ['0x10'],
      values: { username: ['007'] },
    });
    const { values } = await run('push', 'from-args', ...FROM_ARGS, '--tags', '2,1', '--tags=1.10');
    expect(values).toMatchObject({ tags: ['2,1', '1.10'] });
  });

  test('has a word that looks like an option behind --', async () => {
    expect(await run('push', 'from-spec', '--', '-x.yaml')).toMatchObject({
      positionals: ['-x.yaml'],
    });
    expect(await run('push', 'from-spec', '-')).toMatchObject({ positionals: ['-'] });
    expect(await run('inspect', 'inspect')).toMatchObject({ positionals: ['inspect'] });
  });

  test('has any value as it was typed', async () => {
    const kept = fc.asyncProperty(fc.string({ unit: CHAR }), async (text) => {
      expect((await run('inspect', 'a', `--password=${text}`)).values).toEqual({
        password: [text],
      });
    });
    await fc.assert(kept, { numRuns: 100, examples: [['"x"'], ["'x'"], ['a\nb'], ['=']] });
  });

  test.each([
    [['--plain-http', 'inspect', 'a'], { 'plain-http': ['true'] }],
    [['--plain-http=h:1', '--plain-http=i', 'inspect', 'a'], { 'plain-http': ['h:1', 'i'] }],
    [['--insecure=false', 'inspect', 'a'], {}],
  ])('has hosts of %j', async (argv, values) => {
    expect((await run(...argv)).values).toEqual(values);
  });

  test.each<[string[], RegExp]>([
    [[], /no command is given/],
    [['--raw'], /no command is given/],
    [['push'], /no command after push is given/],
    [['inspct', 'a'], /unknown command "inspct" \(did you mean inspect\?\)/],
    [['Inspect', 'a'], /did you mean inspect/],
    [['xyzzyxyzzy'], /unknown command "xyzzyxyzzy"$/],
    [
      ['push', 'from-spce', 'a'],
      /unknown command "from-spce" of push \(did you mean from-spec\?\)/,
    ],
    [['from-spec', 'a'], /unknown command "from-spec"/],
    [['constructor'], /unknown command "constructor"/],
    [['inspect', 'a', '--target', 'b'], /inspect has no option --target/],
    [['inspect', 'a', '--ignore-missing'], /inspect has no option --ignore-missing/],
    [['push', 'from-spec', 'a', '--tags', 'x'], /push from-spec has no option --tags/],
    [['push', 'from-args', ...FROM_ARGS, '--raw'], /push from-args has no option --raw/],
    [['inspect', 'a', '-u', 'a', '-u', 'b'], /option --username is given 2 times/],
    [['push', 'from-args', ...FROM_ARGS, '--target=b'], /option --target is given 2 times/],
    [['push', 'from-args'], /push from-args needs --platforms and --template and --target/],
    [['push', 'from-args', ...FROM_ARGS.slice(0, 4)], /push from-args needs --target$/],
    [['inspect'], /inspect needs REF/],
    [['push', 'from-spec'], /push from-spec needs FILE/],
    [['inspect', 'a', 'b'], /inspect has no use for "b"/],
    [['push', 'from-args', 'x', ...FROM_ARGS], /push from-args has no use for "x"/],
    [['inspect', 'a', '--rwa'], /unknown option --rwa \(did you mean --raw\?\)/],
  ])('is refused: %j', async (argv, message) => {
    const failed = parseCommandLine(argv);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toMatchObject({ code: 'USAGE', exitCode: 2 });
  });

  test('an option that is near one of the command is suggested', async () => {
    await expect(parseCommandLine(['push', 'from-spec', 'a', '--tags=x'])).rejects.toMatchObject({
      hint: 'see push from-spec --help',
    });
    await expect(parseCommandLine(['xyzzyxyzzy'])).rejects.toMatchObject({
      hint: expect.stringContaining('inspect, query') as string,
    });
  });
});

describe('help and version', () => {
  test.each<[string[], string[]]>([
    [['--help'], []],
    [['-h', 'push'], ['push']],
    [
      ['push', '--help', 'from-args'],
      ['push', 'from-args'],
    ],
    [['inspect', '-h', 'a', 'b'], ['inspect']],
    [['nonsense', '--help'], []],
    [
      ['push', 'from-args', '--help'],
      ['push', 'from-args'],
    ],
  ])('%j is the help of %j', async (argv, path) => {
    expect(await parseCommandLine(argv)).toEqual({ kind: 'help', path });
  });

  test.each([[['--version']], [['-v']], [['inspect', '--version', '--help']]])(
    '%j is the version',
    async (argv) => {
      expect(await parseCommandLine(argv)).toEqual({ kind: 'version' });
    },
  );

  test('an unknown option is an error all the same', async () => {
    await expect(parseCommandLine(['--help', '--nonsense'])).rejects.toThrow(/unknown option/);
  });
});
