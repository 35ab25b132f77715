import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ManifestToolError } from '../../../src/errors.js';
import type { Digest } from '../../../src/oci/digest.js';
import {
  formatName,
  formatReference,
  isTag,
  parseReference,
  sameRepository,
  withSuffix,
} from '../../../src/oci/reference.js';

/** Any character that matters (fast-check's own unit of all characters takes a second to build). */
const CHAR = fc
  .oneof(
    fc.integer({ min: 0, max: 0x2ff }),
    fc.integer({ min: 0x2000, max: 0x206f }),
    fc.constantFrom(0xd7ff, 0xfeff, 0xff01, 0xfffd, 0x1f680, 0x10ffff),
  )
  .map((code) => String.fromCodePoint(code));

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}` as Digest;

/** As distribution/reference's ParseNormalizedNamed reads them: in full, with the host. */
const READ: [string, string][] = [
  ['alpine', 'docker.io/library/alpine'],
  ['alpine:3.20', 'docker.io/library/alpine:3.20'],
  ['library/alpine', 'docker.io/library/alpine'],
  ['user/app', 'docker.io/user/app'],
  ['user/app/part', 'docker.io/user/app/part'],
  ['docker.io/alpine', 'docker.io/library/alpine'],
  ['docker.io/user/app:1', 'docker.io/user/app:1'],
  ['index.docker.io/alpine', 'docker.io/library/alpine'],
  ['index.docker.io/user/app', 'docker.io/user/app'],
  ['registry-1.docker.io/user/app', 'registry-1.docker.io/user/app'],
  ['alpine.old', 'docker.io/library/alpine.old'],
  ['example.com/app', 'example.com/app'],
  ['example.com/a/b/c:t', 'example.com/a/b/c:t'],
  ['example/app', 'docker.io/example/app'],
  ['localhost/app', 'localhost/app'],
  ['localhost', 'docker.io/library/localhost'],
  ['localhost:5000', 'docker.io/library/localhost:5000'],
  ['localhost:5000/app', 'localhost:5000/app'],
  ['localhost:5000/app:5000', 'localhost:5000/app:5000'],
  ['host:5000/app', 'host:5000/app'],
  ['host:5000/a/b@' + DIGEST, `host:5000/a/b@${DIGEST}`],
  ['Example/app', 'Example/app'],
  ['EXAMPLE.com/app', 'EXAMPLE.com/app'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app'],
  ['[::1]/app', '[::1]/app'],
  ['[::1]:5000/app:1', '[::1]:5000/app:1'],
  ['[2001:db8::1]:5000/app@' + DIGEST, `[2001:db8::1]:5000/app@${DIGEST}`],
  ['xn--n3h.com/app', 'xn--n3h.com/app'],
  ['a-b.c-d/app', 'a-b.c-d/app'],
  ['a_b/c__d/e.f/g--h/i-j', 'docker.io/a_b/c__d/e.f/g--h/i-j'],
  ['0/1', 'docker.io/0/1'],
  [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
  [`app:tag@${DIGEST}`, `docker.io/library/app:tag@${DIGEST}`],
  [`app@sha512:${HEX}${HEX}`, `docker.io/library/app@sha512:${HEX}${HEX}`],
  ['app:_T.a-g', 'docker.io/library/app:_T.a-g'],
  [`app:${'t'.repeat(128)}`, `docker.io/library/app:${'t'.repeat(128)}`],
  [`app:${HEX}`, `docker.io/library/app:${HEX}`],
  [HEX.slice(1), `docker.io/library/${HEX.slice(1)}`],
  [`user/${HEX}`, `docker.io/user/${HEX}`],
  [`docker.io/${HEX}`, `docker.io/library/${HEX}`],
  [`${HEX}:tag`, `docker.io/library/${HEX}:tag`],
  [`e.co/${'n'.repeat(250)}`, `e.co/${'n'.repeat(250)}`],
  ['oci-layout://dir', 'oci-layout://dir'],
  ['oci-layout://./dir:tag', 'oci-layout://./dir:tag'],
  ['oci-layout:///a/b:tag@' + DIGEST, `oci-layout:///a/b:tag@${DIGEST}`],
  ['oci-layout:///a:b/c', 'oci-layout:///a:b/c'],
  ['oci-layout:///home/me@work/Dir with blank', 'oci-layout:///home/me@work/Dir with blank'],
  ['ocidir://dir:tag', 'oci-layout://dir:tag'],
];

const REFUSED: [string, RegExp][] = [
  ['', /it is empty/],
  ['app:1.0-linux/amd64', /the tag "1\.0-linux\/amd64" contains a slash/],
  ['x.test:5000/app:1/2', /the tag "1\/2" contains a slash/],
  ['x.test/a/b:linux/arm/v7', /the tag "linux\/arm\/v7" contains a slash/],
  [' ', /not a valid repository name/],
  [' app', /not a valid repository name/],
  ['app\n', /not a valid repository name/],
  ['App', /must be in lower case/],
  ['user/App', /must be in lower case/],
  ['example.com/App:1', /must be in lower case/],
  ['a//b', /not a valid repository name/],
  ['/app', /it is a path, not an image reference/],
  ['app/', /not a valid repository name/],
  ['example.com/', /not a valid repository name/],
  ['-app', /not a valid repository name/],
  ['app-', /not a valid repository name/],
  ['a..b', /not a valid repository name/],
  ['a._b', /not a valid repository name/],
  ['a___b', /not a valid repository name/],
  ['app/../x', /not a valid repository name/],
  ['app%2fx', /not a valid repository name/],
  ['é', /not a valid repository name/],
  ['app:', /the tag after the colon is missing/],
  ['app:-t', /"-t" is not a valid tag/],
  ['app:.t', /".t" is not a valid tag/],
  ['app:a b', /"a b" is not a valid tag/],
  [`app:${'t'.repeat(129)}`, /is not a valid tag/],
  ['app:a:b', /not a valid repository name/],
  ['host_x.com/app', /"host_x.com" is not a valid host/],
  ['-x.com/app', /is not a valid host/],
  ['x-.com/app', /is not a valid host/],
  ['x..com/app', /is not a valid host/],
  ['.com/app', /is not a valid host/],
  ['host:port/app', /is not a valid host/],
  ['host:/app', /is not a valid host/],
  ['host:123456/app', /is not a valid host/],
  ['[::1/app', /is not a valid host/],
  ['[x]:5000/app', /is not a valid host/],
  ['user:pass@host/app', /./],
  ['user@host/app', /not a valid repository name/],
  ['app@', /must be "sha256:" and 64/],
  ['app@sha256:abc', /must be "sha256:" and 64/],
  [`app@md5:${HEX.slice(32)}`, /must be "sha256:" and 64/],
  [`app@sha256:${HEX.toUpperCase()}`, /must be "sha256:" and 64/],
  [`app@${DIGEST}:tag`, /must be "sha256:" and 64/],
  [`app@${DIGEST}@${DIGEST}`, /not a valid repository name/],
  [`@${DIGEST}`, /not a valid repository name/],
  [DIGEST, /needs a repository before it/],
  [HEX, /not the name of a repository/],
  [`e.co/${'n'.repeat(251)}`, /longer than 255/],
  ['http://example.com/app', /"http:\/\/" is not supported/],
  ['HTTPS://example.com/app', /"HTTPS:\/\/" is not supported/],
  ['docker://', /image name is missing/],
  ['docker://http://a', /"http:\/\/" is not supported/],
  ['docker-daemon:app:1.0', /"docker-daemon:" references are not supported/],
  ['containers-storage:app', /not supported/],
  ['oci:', /path of the layout directory is missing/],
  ['oci:dir:', /"" is not a valid tag or name/],
  ['oci-archive://', /path of the archive is missing/],
  ['docker-archive:file:a b', /"a b" is not a valid tag or name/],
  ['oci-layout://', /path of the layout directory is missing/],
  ['oci-layout://:tag', /path of the layout directory is missing/],
  ['oci-layout://dir:', /the tag after the colon is missing/],
  ['oci-layout://dir:a b', /is not a valid tag/],
  ['oci-layout://dir\0', /NUL/],
  ['oci-layout://dir@x', /must be "sha256:"/],
];

describe('parseReference', () => {
  test.each(READ)('reads %s as %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  test.each(REFUSED)('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
    expect(() => parseReference(text)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        what: expect.stringContaining('reading') as string,
      }),
    );
  });

  // The host becomes part of a URL, and one that no URL can hold must not get that far.
  test.each(['host:65536/app', 'host:99999/app', '1.2.3.400/app', '[::1:::]/app', '[1.2]/app'])(
    'refuses %s, which is in no URL',
    (text) => {
      expect(() => parseReference(text)).toThrow(/is not a valid host/);
    },
  );

  test('keeps the parts apart', () => {
    expect(parseReference(`[::1]:5000/a/b:t@${DIGEST}`)).toEqual({
      kind: 'registry',
      host: '[::1]:5000',
      repository: 'a/b',
      tag: 't',
      digest: DIGEST,
    });
    expect(parseReference('alpine')).toEqual({
      kind: 'registry',
      host: 'docker.io',
      repository: 'library/alpine',
    });
    expect(parseReference(`ocidir://a/b:t@${DIGEST}`)).toEqual({
      kind: 'layout',
      path: 'a/b',
      tag: 't',
      digest: DIGEST,
    });
  });

  test.each<readonly [text: string, path: string, tag: string | undefined, kind: string]>([
    ['oci:some/dir', 'some/dir', undefined, 'layout'],
    ['oci:some/dir:1.0', 'some/dir', '1.0', 'layout'],
    ['oci:dir:docker.io/library/app:1.0', 'dir', 'docker.io/library/app:1.0', 'layout'],
    ['oci-layout://dir:1.0+build', 'dir', '1.0+build', 'layout'],
    ['oci-archive://a.tar:1.0', 'a.tar', '1.0', 'oci'],
    ['oci-archive:/tmp/a.tar', '/tmp/a.tar', undefined, 'oci'],
    ['docker-archive://a.tar:localhost:5000/app:1.0', 'a.tar', 'localhost:5000/app:1.0', 'docker'],
    ['docker-archive:a.tar:app', 'a.tar', 'app', 'docker'],
    [String.raw`oci-archive:C:\a.tar:1.0`, String.raw`C:\a.tar`, '1.0', 'oci'],
  ])('reads %s as a local image', (text, path, tag, kind) => {
    const reference = parseReference(text);
    expect('format' in reference ? reference.format : reference.kind).toBe(kind);
    expect(reference).toMatchObject({ path });
    expect(reference.tag).toBe(tag);
    expect(parseReference(formatReference(reference))).toEqual(reference);
  });

  test.each([
    ['docker://alpine:1', 'docker.io/library/alpine:1'],
    ['oci:5000/app:1.0', 'oci:5000/app:1.0'],
    ['dir:5000/app', 'dir:5000/app'],
  ])('reads %s as an image in a registry', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full);
  });

  test('says what to write where a URL was written', () => {
    const hint = expect.stringContaining('write it as a/b') as string;
    expect(() => parseReference('http://a/b')).toThrow(expect.objectContaining({ hint }));
  });

  test('reads its own form as the same value', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    const part = fc.stringMatching(/^[a-z0-9]{1,5}([._-][a-z0-9]{1,3})?$/);
    const host = fc.oneof(
      fc.constantFrom('localhost', '[::1]', '[2001:db8::1]', 'Example', 'docker.io', '10.0.0.1'),
      fc.tuple(label, label).map((labels) => labels.join('.')),
    );
    const port = fc.option(fc.integer({ min: 1, max: 65535 })).map((n) => (n ? `:${n}` : ''));
    const name = fc.tuple(
      fc.option(fc.tuple(host, port).map(([name_, number]) => `${name_}${number}/`)),
      fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    );
    const layout = fc.stringMatching(/^[a-zA-Z0-9./@ -]{0,8}[a-z/]$/).map((p) => `ocidir://${p}`);
    const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,8}$/));
    const text = fc
      .tuple(
        fc.oneof(
          name.map(([first, rest]) => `${first ?? ''}${rest}`),
          layout,
        ),
        tag.map((t) => (t === null ? '' : `:${t}`)),
        fc.constantFrom('', `@${DIGEST}`),
      )
      .map((parts) => parts.join(''));
    let read = 0;
    const same = fc.property(text, (typed) => {
      const reference = tryParse(typed);
      if (reference === undefined) return;
      read += 1;
      expect(parseReference(formatReference(reference))).toEqual(reference);
    });
    fc.assert(same, { numRuns: 500 });
    expect(read).toBeGreaterThan(300);
  });

  test('reads any text, or refuses it as an error of use', () => {
    const piece = fc.constantFrom('a', 'B', '.', '-', '_', ':', '/', '@', '[', ']', '5', DIGEST);
    const text = fc.oneof(
      fc.string({ unit: CHAR }),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    );
    const judged = fc.property(text, (typed) => {
      const reference = tryParse(typed);
      if (reference === undefined) return;
      expect(parseReference(formatReference(reference))).toEqual(reference);
      if (reference.kind === 'registry')
        expect(() => new URL(`http://${reference.host}`)).not.toThrow();
    });
    fc.assert(judged, { numRuns: 500 });
  });
});

function tryParse(text: string) {
  try {
    return parseReference(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ManifestToolError);
    expect(error).toMatchObject({ code: 'USAGE' });
    return undefined;
  }
}

describe('a reference', () => {
  test.each(['latest', '1.0', '_x', 'A', 'a-b.c_d'])('has the tag %s', (tag) => {
    expect(isTag(tag)).toBe(true);
  });

  test('gets another tag or digest in place of its own', () => {
    const reference = parseReference(`app:old@${DIGEST}`);
    expect(formatReference(withSuffix(reference, 'new'))).toBe('docker.io/library/app:new');
    expect(formatReference(withSuffix(reference, DIGEST))).toBe(`docker.io/library/app@${DIGEST}`);
    expect(formatName(reference)).toBe('docker.io/library/app');
  });

  test.each([
    ['alpine:1', `docker.io/library/alpine@${DIGEST}`, true],
    ['a.io/x', 'b.io/x', false],
    ['oci-layout://a:1', 'ocidir://a:2', true],
    ['oci-layout://a', 'a', false],
  ])('%s and %s are of one repository: %s', (a, b, same) => {
    expect(sameRepository(parseReference(a), parseReference(b))).toBe(same);
  });
});

test.each([
  [
    './build',
    'it is a path, not an image reference',
    'write oci-layout://./build for an OCI layout',
  ],
  ['/tmp/build', 'it is a path, not an image reference', 'write oci-layout:///tmp/build'],
  ['~/build:1', 'it is a path, not an image reference', 'write oci-layout://~/build:1'],
  ['App', 'repository name "App" must be in lower case', 'write it as app'],
  [
    'app:',
    'the tag after the colon is missing',
    'write a tag after the colon, for example app:1.0, or omit',
  ],
  ['e.co:5000/app:', 'the tag after the colon is missing', 'write a tag after the colon'],
  ['https://ghcr.io/a/b:1', '"https://" is not supported', 'write it as ghcr.io/a/b:1'],
  ['ftp://x', '"ftp://" is not supported', 'write host/repository:tag'],
  ['a b', '"a b" is not a valid repository name', 'pass each reference as a separate argument'],
  [
    'a:1,b:2',
    '"a:1,b" is not a valid repository name',
    'pass each reference as a separate argument',
  ],
  ['a:1,2', '"1,2" is not a valid tag', 'pass each reference as a separate argument'],
  ['app:1:2', '"app:1" is not a valid repository name', 'it consists of lower-case letters'],
])('%j is explained as it was typed', (text, why, hint) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({
      why: expect.stringContaining(why) as string,
      hint: expect.stringContaining(hint) as string,
    }) as Error,
  );
});
