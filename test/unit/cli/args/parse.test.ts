import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, optionsOf, type CommandName } from '../../../../src/cli/args/commands.js';
import { foreignCommand, foreignLines } from '../../../../src/cli/args/foreign.js';
import { OPTION_NAMES, OPTIONS, type OptionName } from '../../../../src/cli/args/options.js';
import { findCommands, parseCommandLine, readArguments } from '../../../../src/cli/args/parse.js';

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
  const parsed = parseCommandLine(argv);
  if (parsed.kind !== 'run') throw new Error(`it is ${parsed.kind}`);
  const { command, words, options } = parsed;
  return { command, words, options: Object.fromEntries(options) };
}

function refusalOf(argv: string[]): Error {
  try {
    const parsed = parseCommandLine(argv);
    if (parsed.kind === 'run') readArguments(parsed.command, parsed.words, parsed.options);
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
      words: ['app'],
      options: { raw: [] },
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
      words: [],
      options: { type: ['oci'], platforms: ['linux/amd64'], template: ['a:ARCH'], target: ['a:1'] },
    });
  });

  test('keeps words and values as text, in their order', () => {
    expect(run('inspect', '1.10')).toMatchObject({ words: ['1.10'] });
    expect(run('inspect', '0x10', '--username', '007')).toMatchObject({
      words: ['0x10'],
      options: { username: ['007'] },
    });
    const { options } = run('push', 'from-args', ...FROM_ARGS, '--tags', '2,1', '--tags=1.10');
    expect(options).toMatchObject({ tags: ['2,1', '1.10'] });
  });

  test('has a word that looks like an option behind --', () => {
    expect(run('push', 'from-spec', '--', '-x.yaml')).toMatchObject({
      words: ['-x.yaml'],
    });
    expect(run('push', 'from-spec', '-')).toMatchObject({ words: ['-'] });
    expect(run('inspect', 'inspect')).toMatchObject({ words: ['inspect'] });
  });

  test('has any value as it was typed', () => {
    const kept = fc.property(fc.string({ unit: CHAR }), (text) => {
      expect(run('inspect', 'a', `--password=${text}`).options).toEqual({
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
    expect(run(...argv).options).toEqual(values);
  });

  test.each<[string[], RegExp]>([
    [['--raw'], /no command is given/],
    [['push', '--type', 'oci'], /push needs a command/],
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
    [['push', 'from-args'], /push from-args needs --platforms, --template, --target/],
    [['push', 'from-args', ...FROM_ARGS.slice(0, 4)], /push from-args needs --target$/],
    [['inspect'], /inspect needs REF/],
    [['push', 'from-spec'], /push from-spec needs FILE/],
    [['inspect', 'a', 'b'], /unexpected argument "b" for inspect$/],
    [['push', 'from-args', 'x', ...FROM_ARGS], /unexpected argument "x" for push from-args$/],
    [['inspect', 'a', '--rwa'], /unknown option --rwa \(did you mean --raw\?\)/],
  ])('is refused: %j', (argv, message) => {
    const failed = refusalOf(argv);
    expect(failed.message).toMatch(message);
    expect(failed).toMatchObject({ code: 'USAGE' });
  });

  test('an option that is near one of the command is suggested', () => {
    expect(refusalOf(['push', 'from-spec', 'a', '--tags=x'])).toMatchObject({
      hint: 'see "manifest-tool push from-spec --help"',
    });
    expect(refusalOf(['xyzzyxyzzy'])).toMatchObject({
      hint: expect.stringContaining('inspect, query') as string,
    });
  });
});

describe('an option', () => {
  test.each<[string, string[], Record<string, string[]>]>([
    ['a switch', ['--raw'], { raw: [] }],
    ['a switch with one dash', ['-raw'], { raw: [] }],
    ['a letter', ['-D', '-q'], { debug: [], quiet: [] }],
    ['a switch that is on', ['--raw=true', '-debug=1', '--raw=T'], { raw: [], debug: [] }],
    ['a switch that is off', ['--raw=false', '-debug=0', '--help=F'], {}],
    ['a value', ['--format', 'x'], { format: ['x'] }],
    ['a value with one dash', ['-format', 'x'], { format: ['x'] }],
    ['a value behind =', ['--format=x', '-retry=3'], { format: ['x'], retry: ['3'] }],
    ['a value with = in it', ['--password=a=b=c'], { password: ['a=b=c'] }],
    ['a value of a letter', ['-u', 'me', '-p=pw'], { username: ['me'], password: ['pw'] }],
    ['a value that begins with a dash', ['--password', '-x'], { password: ['-x'] }],
    ['a value that begins with two', ['--password', '--x'], { password: ['--x'] }],
    ['a value that is a letter of ours', ['--password', '-D'], { password: ['-D'] }],
    ['a value that is an option, behind =', ['--password=--raw'], { password: ['--raw'] }],
    ['a value that is a dash', ['--docker-cfg', '-'], { 'docker-cfg': ['-'] }],
    ['an empty value', ['--format', '', '--password='], { format: [''], password: [''] }],
    [
      'a value with a line break',
      ['-u', 'a\nb', '-p=a\nb'],
      { username: ['a\nb'], password: ['a\nb'] },
    ],
    ['a list again', ['--platform', 'a', '--platform=b,c'], { platform: ['a', 'b,c'] }],
    ['a host option', ['--insecure'], { insecure: ['true'] }],
    ['a host option with a host', ['--plain-http=a.io:5000'], { 'plain-http': ['a.io:5000'] }],
    ['a host option that is on', ['--plain-http=T'], { 'plain-http': ['true'] }],
    ['a host option that is off', ['--plain-http=false', '-insecure=0'], {}],
  ])('may be %s', (_what, argv, options) => {
    const parsed = run(...argv, 'inspect', 'app');
    expect(parsed).toEqual({
      command: 'inspect',
      words: ['app'],
      options: expect.anything() as unknown,
    });
    expect(parsed.options).toEqual(options);
    expect(run('inspect', ...argv, '--', 'app')).toEqual(parsed);
  });

  test('a switch and a host option do not take the next word', () => {
    expect(run('inspect', '--raw', 'true')).toMatchObject({ words: ['true'] });
    expect(run('--insecure', 'inspect', 'a')).toMatchObject({ command: 'inspect', words: ['a'] });
  });

  test.each<[string[], RegExp]>([
    [['--tagret', 'x'], /unknown option --tagret \(did you mean --target\?\)/],
    [['-platfroms=x'], /unknown option -platfroms \(did you mean --platforms\?\)/],
    [['--expand-cofnig'], /did you mean --expand-config/],
    [['--Raw'], /unknown option --Raw \(did you mean --raw\?\)/],
    [['--xyzzy-xyzzy'], /unknown option --xyzzy-xyzzy$/],
    [['-x'], /unknown option -x$/],
    [['--u', 'me'], /unknown option --u$/],
    [['-ume'], /unknown option -ume/],
    [['-Dh'], /unknown option -Dh/],
    [['--constructor'], /unknown option --constructor/],
    [['--__proto__=1'], /unknown option --__proto__/],
    [['---'], /unknown option/],
    [['--=x'], /unknown option/],
    [['--no-raw'], /unknown option --no-raw/],
    [['--target'], /option --target needs a value/],
    [['--target', '--type', 'oci'], /option --target needs a value/],
    [['--target', '--raw'], /option --target needs a value/],
    [['--target', '--type=oci'], /option --target needs a value/],
    [['-u'], /option --username needs a value/],
    [['--raw=maybe'], /option --raw takes no value, but has "maybe"/],
    [['--raw='], /option --raw takes no value/],
  ])('is refused: %j', (argv, message) => {
    expect(refusalOf(argv)).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(message) as string,
    });
  });

  test('without its value is explained with what it is for', () => {
    const hint = `write --target REF: ${OPTIONS.target.describe}`;
    expect(refusalOf(['--target'])).toMatchObject({ hint });
  });

  test('keeps any value, in each form', () => {
    const withValue = OPTION_NAMES.filter((name) =>
      ['string', 'strings', 'list'].includes(OPTIONS[name].kind),
    ).filter((name): name is OptionName => !['help', 'version'].includes(name));
    const kept = fc.property(
      fc.constantFrom(...withValue),
      fc.string({ unit: CHAR }),
      (name, value) => {
        const [long, short] = [`--${name}=${value}`, `-${name}=${value}`].map((word) => {
          try {
            return run('inspect', 'a', word).options;
          } catch (error) {
            // An option of another command.
            return (error as Error).message;
          }
        });
        expect(short).toEqual(long);
        if (typeof long === 'object') expect(long).toEqual({ [name]: [value] });
      },
    );
    fc.assert(kept, { numRuns: 200 });
  });
});

describe('the arguments of a command', () => {
  const argumentsOf = (...argv: string[]): unknown => {
    const parsed = parseCommandLine(argv);
    if (parsed.kind !== 'run') throw new Error(`it is ${parsed.kind}`);
    return readArguments(parsed.command, parsed.words, parsed.options);
  };

  test('are its options, the global ones and its positional arguments', () => {
    const args = argumentsOf('copy', 'a', 'b', '-D', 'c', '--tags=x,y', '--dry-run');
    expect(args).toMatchObject({
      source: 'a',
      targets: ['b', 'c'],
      tags: ['x', 'y'],
      dryRun: true,
      noClobber: false,
      debug: true,
      username: undefined,
    });
    expect(args).not.toHaveProperty('platforms');
  });

  test('with a value that an option cannot have are an error', () => {
    expect(() => argumentsOf('copy', 'a', 'b', '--wait=soon')).toThrow(/--wait "soon"/);
  });
});

describe('help and version', () => {
  test.each<[string[], string[]]>([
    [[], []],
    [['--debug'], []],
    [['push'], ['push']],
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
    expect(parseCommandLine(argv)).toEqual({ kind: 'help', path, isAll: false });
    expect(parseCommandLine([...argv, '--all'])).toEqual({ kind: 'help', path, isAll: true });
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

describe('a command of another tool', () => {
  test.each([
    ['manifest create a b', 'manifest-tool create --target INDEX'],
    ['docker manifest create a b --amend', 'manifest-tool create --target INDEX'],
    ['manifest annotate a b --arch arm64', 'manifest-tool annotate INDEX'],
    ['manifest push --purge a', 'it publishes at once'],
    ['manifest inspect a', 'manifest-tool inspect --format docker REF'],
    ['manifest rm a', 'manifest-tool remove INDEX'],
    ['imagetools create -t a b', 'manifest-tool create -t TARGET SOURCE...'],
    ['imagetools create --append -t a b', 'manifest-tool create -t TARGET SOURCE...'],
    ['buildx imagetools inspect a', 'manifest-tool inspect --format table REF'],
    ['docker buildx imagetools create -t a b', 'manifest-tool create -t TARGET'],
    ['manifest index create a b', 'manifest-tool create --target INDEX'],
    ['ls a', 'manifest-tool tags REPOSITORY'],
    ['rm a', 'manifest-tool remove INDEX'],
    ['cp a b', 'manifest-tool copy SOURCE TARGET'],
    ['manifest a', 'manifest-tool inspect --format raw REF'],
    ['index append a b', 'manifest-tool add INDEX'],
    ['login ghcr.io', 'docker login HOST'],
    ['help manifest create', 'manifest-tool create --target INDEX'],
  ])('%s: the error names the line here', (line, hint) => {
    const argv = line.split(' ');
    const failed =
      argv[0] === 'help'
        ? (() => {
            try {
              findCommands(argv.slice(1));
            } catch (error) {
              return error;
            }
            return undefined;
          })()
        : refusalOf(argv);
    expect(failed).toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/unknown command/) as string,
      hint: expect.stringContaining(hint) as string,
    });
  });

  test('leads to commands that exist', () => {
    for (const typed of Object.keys(foreignLines())) {
      const line = /"manifest-tool ([^"]*)"/.exec(foreignCommand(typed.split(' ')) ?? '')?.[1];
      expect(line).toBeDefined();
      const [command, option] = [line!.split(' ')[0]!, /--[\w-]+/.exec(line!)?.[0].slice(2)];
      expect(COMMAND_NAMES).toContain(command);
      if (option !== undefined) expect(optionsOf(command as CommandName)).toContain(option);
    }
  });

  test.each([
    ['index append -m a -m b -t c', 'create --target INDEX IMAGE...'],
    ['index append -m a -m b -t c', 'add INDEX IMAGE...'],
    ['tag rm a', 'untag REF...'],
    ['tag delete a', 'untag REF...'],
    ['delete a', 'untag REF...'],
    ['rm a', 'untag REF...'],
    ['manifest rm a', 'untag REF...'],
    ['manifest digest a', 'digest REF'],
    ['manifest delete a', 'untag REF...'],
  ])('%s: the hint has %s', (typed, line) => {
    expect(foreignCommand(typed.split(' '))).toContain(line);
  });

  test.each([
    [['create', '--amend', 'a'], 'manifest-tool add INDEX'],
    [['create', '--append', 'a'], 'manifest-tool add INDEX'],
    [['copy', '--dest-tls-verify=false', 'a', 'b'], '--plain-http'],
    [['copy', '--all', 'a', 'b'], 'omit it: all platforms are copied'],
    [['create', '--builder', 'x', 'a'], 'omit it: no builder is needed'],
    [['create', '--push', '-t', 'x:1', 'a'], 'omit it: the index is published'],
    [['create', '--iidfile', 'f', '-t', 'x:1', 'a'], '--digestfile FILE'],
    [['create', '-m', 'a', '-t', 'x:1'], 'pass the image as an argument'],
    [['add', '--arch', 'arm64', 'x:1', 'a'], 'annotate INDEX --digest DIGEST'],
    [['create', '--variant', 'v7', '-t', 'x:1', 'a'], 'annotate INDEX --digest DIGEST'],
    [['annotate', 'x:1', 'x:arm64', '--arch', 'arm64'], 'select the entry with --platform'],
    [['push', 'x:1'], 'create --target REF IMAGE...'],
    [['inspect', '--format', '{{.Manifest.Digest}}', 'x'], 'use "manifest-tool digest REF"'],
    [['inspect', '--format', '{{json .Manifest}}', 'x'], '--format json'],
  ])('%j: its option is explained', (argv, hint) => {
    expect(refusalOf(argv)).toMatchObject({ hint: expect.stringContaining(hint) as string });
  });
});

describe('values that the shell split', () => {
  const images = ['--template', 'x:ARCH', '--target', 'x:1'];
  test.each([
    [['--platforms', 'linux/amd64,', 'linux/arm64', ...images]],
    [['--platforms', 'linux/amd64', 'linux/arm64', ...images]],
  ])('%j: the hint joins them', (argv) => {
    expect(refusalOf(['push', 'from-args', ...argv])).toMatchObject({
      hint: 'separate values with commas, without spaces: --platforms linux/amd64,linux/arm64',
    });
  });

  test('are not joined with other words', () => {
    const argv = ['push', 'from-args', '--platforms', 'linux/amd64', 'app', ...images];
    expect(refusalOf(argv)).toMatchObject({ hint: expect.stringMatching(/^usage: /) as string });
  });
});
