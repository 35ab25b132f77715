import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseArguments } from '../../../../src/cli/args/arguments.js';
import { OPTIONS } from '../../../../src/cli/args/options.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

describe('normaliseArguments', () => {
  test.each<[string, string[], string[]]>([
    ['nothing', [], []],
    ['words', ['push', 'from-args', '-', ''], ['push', 'from-args', '-', '']],
    ['a switch', ['--raw'], ['--raw']],
    ['a switch with one dash', ['-raw'], ['--raw']],
    ['a letter', ['-D', '-h', '-v'], ['--debug', '--help', '--version']],
    ['a switch that is on', ['--raw=true', '-debug=1', '--raw=T'], ['--raw', '--debug', '--raw']],
    ['a switch that is off', ['--raw=false', '-debug=0', '--help=F'], []],
    ['a switch before a word', ['--raw', 'true'], ['--raw', 'true']],
    ['a value', ['--target', 'x'], ['--target=x']],
    ['a value with one dash', ['-target', 'x'], ['--target=x']],
    ['a value behind =', ['--target=x', '-type=oci'], ['--target=x', '--type=oci']],
    ['a value with = in it', ['--annotations=a=b=c'], ['--annotations=a=b=c']],
    ['a value of a letter', ['-u', 'me', '-p=pw'], ['--username=me', '--password=pw']],
    ['a value that begins with a dash', ['--password', '-x'], ['--password=-x']],
    ['a value that begins with two', ['--password', '--x'], ['--password=--x']],
    ['a value that is a letter of ours', ['--password', '-D'], ['--password=-D']],
    ['a value that is an option, behind =', ['--password=--raw'], ['--password=--raw']],
    ['a value that is a dash', ['--docker-cfg', '-'], ['--docker-cfg=-']],
    ['an empty value', ['--target', '', '--type='], ['--target=', '--type=']],
    [
      'a value with a line break',
      ['--target', 'a\nb', '--type=a\nb'],
      ['--target=a\nb', '--type=a\nb'],
    ],
    ['a list again', ['--tags', 'a', '--tags=b,c'], ['--tags=a', '--tags=b,c']],
    ['a host option', ['--insecure', 'inspect'], ['--insecure=true', 'inspect']],
    ['a host option with a host', ['--plain-http=a.io:5000'], ['--plain-http=a.io:5000']],
    ['a host option that is on', ['--plain-http=true'], ['--plain-http=true']],
    ['a host option that is off', ['--plain-http=false', '-insecure=0'], []],
    ['all behind --', ['--raw', '--', '--target', '-x'], ['--raw', '--', '--target', '-x']],
  ])('reads %s', (_what, argv, normal) => {
    expect(normaliseArguments(argv)).toEqual(normal);
  });

  test.each<[string[], RegExp]>([
    [['--tagret', 'x'], /unknown option --tagret \(did you mean --target\?\)/],
    [['-platfroms=x'], /unknown option -platfroms \(did you mean --platforms\?\)/],
    [['--expand-cofnig'], /did you mean --expand-config/],
    [['--Raw'], /unknown option --Raw \(did you mean --raw\?\)/],
    [['--xyzzy-xyzzy'], /unknown option --xyzzy-xyzzy$/],
    [['-x'], /unknown option -x/],
    [['--u', 'me'], /unknown option --u/],
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
    [['-u'], /option --username needs a value/],
    [['--raw=maybe'], /option --raw is a switch and takes no value "maybe"/],
    [['--raw='], /option --raw is a switch/],
  ])('refuses %j', (argv, message) => {
    expect(() => normaliseArguments(argv)).toThrow(message);
    expect(() => normaliseArguments(argv)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('a missing value is explained with what the option is for', () => {
    const hint = `${OPTIONS['target']!.describe}: --target REF`;
    expect(() => normaliseArguments(['--target'])).toThrow(expect.objectContaining({ hint }));
  });

  test('the normal form is its own normal form, whatever the value', () => {
    const names = Object.keys(OPTIONS).filter((name) => OPTIONS[name]!.kind !== 'switch');
    const word = fc.tuple(fc.constantFrom(...names), fc.string({ unit: CHAR }));
    const same = fc.property(fc.array(word), (words) => {
      const normal = normaliseArguments(words.map(([name, value]) => `-${name}=${value}`));
      expect(normaliseArguments(normal)).toEqual(normal);
    });
    fc.assert(same, { numRuns: 200 });
  });
});
