import fc from 'fast-check';

/** The longest input, in characters: what a pattern that backtracks cannot stand. */
const LONGEST = 20_000;

/** What parsers stumble over: separators, quotes, escapes, what acts on a terminal, halves of pairs, names that objects have. */
const HOSTILE = [
  '/:@%=,;.-_~*#?&|\\"\'`$<>()[]{}!^+ \t\r\n\0\u001b\u007f\u0085\u202e\u2028\ufeff\ud800\udc00'.split(
    '',
  ),
  '019azAZeExvéµßİ'.split(''),
  '.. -- // :// %00 %zz \\u0000 \\" [::1] 127.0.0.1 😀 "" null true -0 1e999 9007199254740993'.split(
    ' ',
  ),
  '__proto__ constructor << *a !!binary \u001b[31m sha256: Bearer https://'.split(' '),
  ['&a ', '- ', ': '],
].flat();

const hostile = fc.constantFrom(...HOSTILE);

const mutation = fc.record({
  kind: fc.constantFrom('insert', 'delete', 'duplicate', 'replace'),
  /** Where, as a part of the whole in 1/65536. */
  at: fc.nat(65_535),
  length: fc.nat(6),
  text: hostile,
});

function mutate(text: string, { kind, at, length, text: added }: Mutation): string {
  const start = Math.floor((at * (text.length + 1)) / 65_536);
  const [before, after] = [text.slice(0, start), text.slice(start)];
  if (kind === 'insert') return before + added + after;
  if (kind === 'delete') return before + after.slice(length + 1);
  if (kind === 'replace') return before + added + after.slice(added.length);
  return before + after.slice(0, length + 1).repeat(2) + after.slice(length + 1);
}

type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** One valid piece of text, and something short again and again after a part of it: as long as inputs get. */
function long(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.array(hostile, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
    valid,
    fc
      .tuple(valid, fc.nat(30), fc.integer({ min: 1, max: 5 }))
      .map(([text, at, n]) => text.slice(at, at + n)),
  );
  return fc
    .record({ head: valid, keep: fc.nat(40), piece, tail: fc.oneof(hostile, valid) })
    .map(({ head, keep, piece: unit, tail }) => {
      const start = head.slice(0, Math.min(keep, LONGEST / 2));
      const times = Math.max(0, LONGEST - start.length - tail.length) / Math.max(1, unit.length);
      return (start + unit.repeat(Math.floor(times)) + tail).slice(0, LONGEST);
    });
}

/** What a parser may meet: what is valid, that with a few mutations, text at random, and rarely something very long. */
export function texts(valid: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 240,
      arbitrary: fc
        .tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 4 }))
        .map(([text, all]) => all.reduce(mutate, text)),
    },
    { weight: 160, arbitrary: valid },
    { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
    { weight: 40, arbitrary: fc.array(hostile, { maxLength: 12 }).map((parts) => parts.join('')) },
    { weight: 1, arbitrary: long(valid) },
  );
}

/** A few words out of a list, joined. */
export function words(
  list: readonly string[],
  between: string,
  maxLength = 4,
): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom(...list), { minLength: 1, maxLength })
    .map((all) => all.join(between));
}

/** One of the texts, or nothing. */
export function maybe(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(fc.constant(''), text);
}

/** The parts one after the other. */
export function joined(...parts: readonly (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> {
  const all = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc.tuple(...all).map((texts_) => texts_.join(''));
}

const hex = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'.split('')),
  minLength: 64,
  maxLength: 64,
});

export const digests = fc.oneof(
  joined('sha256:', hex),
  joined('sha512:', hex, hex),
  joined('sha256:', fc.constantFrom('a'.repeat(63), 'A'.repeat(64), 'b'.repeat(128), '')),
);

const component = fc.oneof(
  fc.constantFrom(
    'app',
    'library',
    'a',
    'team-1',
    'a.b_c__d---e',
    '0',
    'localhost',
    'a'.repeat(130),
  ),
  fc.string({ unit: fc.constantFrom(...'az09._-'.split('')), minLength: 1, maxLength: 6 }),
);
export const hosts = fc.constantFrom(
  ...(
    'docker.io index.docker.io registry-1.docker.io localhost localhost:5000 ghcr.io example.com:443 Registry 127.0.0.1:1 ' +
    '[::1]:5000 [fe80::1] a.b.c.d xn--bcher-kva.example 10.0.0.1 192.168.1.300 host:99999 [::ffff:10.0.0.1]'
  ).split(' '),
);
export const repositories = fc
  .array(component, { minLength: 1, maxLength: 3 })
  .map((all) => all.join('/'));
const tags = fc.constantFrom(
  'latest',
  '1.0',
  'OS-ARCH',
  '_x',
  'v'.repeat(128),
  'v'.repeat(129),
  '-x',
);

export const references = joined(
  fc.constantFrom('', '', '', '', 'oci-layout://', 'ocidir://', 'docker://'),
  maybe(joined(hosts, '/')),
  repositories,
  maybe(joined(':', tags)),
  maybe(joined('@', digests)),
);

export const operatingSystems = ['linux', 'windows', 'darwin', 'freebsd', 'lunix', 'wasip1'];
export const architectures = [
  'amd64',
  'arm64',
  'arm',
  '386',
  'x86_64',
  'aarch64',
  'armhf',
  's390x',
  'riscv64',
];
export const variants = ['v8', 'v7', 'v6', 'v1', 'v8.1', 'v99', 'sse2'];

export const platforms = joined(
  fc.constantFrom(...operatingSystems),
  '/',
  fc.constantFrom(...architectures),
  maybe(joined('/', fc.constantFrom(...variants))),
  maybe(fc.constantFrom(':10.0.17763.1879', ':a:b', ':')),
);
