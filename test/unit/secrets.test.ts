import { describe, expect, test } from 'vitest';
import { Secrets } from '../../src/secrets.js';

const SECRET = 'p@ß"w/o+r d\\&<€>1';

function redacted(text: string): string {
  const secrets = new Secrets();
  secrets.addPassword('me', SECRET);
  return secrets.redact(text);
}

const bytes = [...Buffer.from(SECRET)];
const percent = bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const points = Array.from(SECRET, (char) => char.codePointAt(0)!);
const units = Array.from({ length: SECRET.length }, (_, at) => SECRET.charCodeAt(at));
const json = JSON.stringify(SECRET).slice(1, -1);
const html = SECRET.replaceAll('&', '&amp;')
  .replaceAll('<', '&lt;')
  .replaceAll('>', '&gt;')
  .replaceAll('"', '&quot;');

describe('a secret is redacted in the form of', () => {
  test.each<[string, string]>([
    ['itself', SECRET],
    ['HTML', html],
    ['HTML with decimal references', points.map((point) => `&#${point};`).join('')],
    ['HTML with hexadecimal references', points.map((p) => `&#x${p.toString(16)};`).join('')],
    ['HTML with padded references', points.map((p) => `&#X000${p.toString(16)}`).join('')],
    ['HTML that encodes punctuation', SECRET.replaceAll('/', '&sol;').replaceAll('+', '&plus;')],
    ['a URL', encodeURIComponent(SECRET)],
    ['a URL in small letters', encodeURIComponent(SECRET).toLowerCase()],
    ['a URL that encodes everything', percent],
    ['a URL that is in a URL', encodeURIComponent(percent)],
    ['a form of HTML', new URLSearchParams([['', SECRET]]).toString().slice(1)],
    ['JSON', json],
    ['JSON with an escaped slash', json.replaceAll('/', String.raw`\/`)],
    ['JSON in ASCII', units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')],
    ['JSON in JSON', JSON.stringify(json).slice(1, -1)],
    ['JSON in HTML', json.replaceAll('&', '&amp;').replaceAll('"', '&#34;')],
    ['HTML in JSON', JSON.stringify(html).replaceAll('&', String.raw`\u0026`)],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['base64url', Buffer.from(SECRET).toString('base64url')],
    ['base64 in a URL', encodeURIComponent(Buffer.from(SECRET).toString('base64'))],
    ['hexadecimal digits', Buffer.from(SECRET).toString('hex')],
  ])('%s', (_, form) => {
    const clean = redacted(`before ${form} after, ${form}.`);
    expect(clean).toMatch(/^before "?REDACTED[A-Za-z=%3D"]* after, "?REDACTED[A-Za-z=%3D"]*\.$/);
  });

  test.each(['', 'a', 'ab', 'abc'])('base64 of a text that contains it behind %j', (before) => {
    for (const after of ['', 'y', 'yz']) {
      const form = Buffer.from(before + SECRET + after).toString('base64');
      // At most the characters that hold bits of what is around it.
      const left = redacted(`<${form}>`).replace('REDACTED', '');
      expect(left.length).toBeLessThan(before.length + after.length + 12);
      expect(Buffer.from(left, 'base64').toString()).not.toContain(SECRET.slice(-5));
    }
  });
});

test('text that is escaped in part and has no secret stays as it is', () => {
  const text = String.raw`100% of %2Fx &amp; \u001b[0m \path &nosuch; &#1114112; %`;
  expect(redacted(text)).toBe(text);
});

test('everything around a secret in another form stays as it is', () => {
  expect(redacted(`%41 ${percent}&amp;${html}\\u0041`)).toBe(
    String.raw`%41 REDACTED&amp;REDACTED\u0041`,
  );
});

test('a secret that its replacement contains is replaced once', () => {
  const secrets = new Secrets();
  secrets.add('REDA');
  expect(secrets.redact('a %52%45%44%41 b')).toBe('a REDACTED b');
});
