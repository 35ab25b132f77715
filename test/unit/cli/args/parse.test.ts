import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/args/parse.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

/** The command, its words and its options, as plain data. */
function run(...argv: string[]) {
  const invocation = parseCommandLine(argv);
  if (invocation.kind !== 'run') throw new Error(`it is ${invocation.kind}`);
  const { positionals, switches, values } = invocation.parsed;
  return {
    command: invocation.command.path.join(' '),
    positionals,
    switches: [...switches],
    values: Object.fromEntries(values),
  };
}

function refusalOf(argv: string[]): Error {
  try {
    parseCommandLine(argv);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it is accepted');
}

const FROM_ARGS = ['--platforms', 'linux/amd64', '--template', 'a:ARCH', '--target', 'a:1'];

describe('a command line', () => {
  test.each([
    [['--raw', 'inspect', 'app']],
    [['inspect', '--raw', 'app']],
    [['inspect', 'app', '--raw']],
    [['-raw', 'inspect', '--', 'app']],
    [['inspect', '--raw=true', '--expand-config=false', 'app']],
  ])('has its options anywhere: %j', (argv) => {
    expect(run(...argv)).toEqual({
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
  ])('has them between the words of a command: %j', (argv) => {
    expect(run(...argv)).toMatchObject({
      command: 'push from-args',
      positionals: [],
      values: { type: ['oci'], platforms: ['linux/amd64'], template: ['a:ARCH'], target: ['a:1'] },
    });
  });

  test('keeps words and values as text, in their order', () => {
    expect(run('inspect', '1.10')).toMatchObject({ positionals: ['1.10'] });
    expect(run('inspect', '0x10', '--username', '007')).toMatchObject({
      positionals: ['0x10'],
      values: { username: ['007'] },
    });
    const { values } = run('push', 'from-args', ...FROM_ARGS, '--tags', '2,1', '--tags=1.10');
    expect(values).toMatchObject({ tags: ['2,1', '1.10'] });
  });

  test('has a word that looks like an option behind --', () => {
    expect(run('push', 'from-spec', '--', '-x.yaml')).toMatchObject({
      positionals: ['-x.yaml'],
    });
    expect(run('push', 'from-spec', '-')).toMatchObject({ positionals: ['-'] });
    expect(run('inspect', 'inspect')).toMatchObject({ positionals: ['inspect'] });
  });

  test('has any value as it was typed', () => {
    const kept = fc.property(fc.string({ unit: CHAR }), (text) => {
      expect(run('inspect', 'a', `--password=${text}`).values).toEqual({
        password: [text],
      });
    });
    fc.assert(kept, { numRuns: 100, examples: [['"x"'], ["'x'"], ['a\nb'], ['=']] });
  });

  test.each([
    [['--plain-http', 'inspect', 'a'], { 'plain-http': ['true'] }],
    [['--plain-http=h:1', '--plain-http=i', 'inspect', 'a'], { 'plain-http': ['h:1', 'i'] }],
    [['--insecure=false', 'inspect', 'a'], {}],
  ])('has hosts of %j', (argv, values) => {
    expect(run(...argv).values).toEqual(values);
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
  ])('is refused: %j', (argv, message) => {
    const failed = refusalOf(argv);
    expect(failed.message).toMatch(message);
    expect(failed).toMatchObject({ code: 'USAGE', exitCode: 2 });
  });

  test('an option that is near one of the command is suggested', () => {
    expect(refusalOf(['push', 'from-spec', 'a', '--tags=x'])).toMatchObject({
      hint: 'see push from-spec --help',
    });
    expect(refusalOf(['xyzzyxyzzy'])).toMatchObject({
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
  ])('%j is the help of %j', (argv, path) => {
    expect(parseCommandLine(argv)).toEqual({ kind: 'help', path });
  });

  test.each([[['--version']], [['-v']], [['inspect', '--version', '--help']]])(
    '%j is the version',
    (argv) => {
      expect(parseCommandLine(argv)).toEqual({ kind: 'version' });
    },
  );

  test('an unknown option is an error all the same', () => {
    expect(refusalOf(['--help', '--nonsense']).message).toMatch(/unknown option/);
  });
});
