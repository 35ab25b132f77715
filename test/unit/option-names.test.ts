import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';
import { expect, test } from 'vitest';

/** Commands of other programs, which have options of their own. */
const OTHER_PROGRAM = /\b(?:docker|skopeo)(?: [a-z]+)+(?: --[a-z0-9-]+(?:[ =][^\s"]+)?)*/g;
const OPTION = /(?<![\w-])--[a-z][a-z-]*/g;

/** The options that the strings of a source name, each with its line; comments do not count. */
function namedOptions(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`);
  const found: string[] = [];
  const check = (start: number, text: string): void => {
    const line = source.slice(0, start).split('\n').length;
    const options = text.replaceAll(OTHER_PROGRAM, '').match(OPTION) ?? [];
    found.push(...options.map((option) => `${file}:${line}: ${option}`));
  };
  new Visitor({
    Literal: ({ start, value }) => {
      if (typeof value === 'string') check(start, value);
    },
    TemplateElement: ({ start, value }) => check(start, value.cooked ?? value.raw),
  }).visit(program);
  return found;
}

test('no layer below the command line names its options: errors have a reason, cli/progress/hints the words', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith(`cli${path.sep}`))
    .map((name) => path.join('src', name));
  expect(files.length).toBeGreaterThan(100);
  expect(files.flatMap((file) => namedOptions(file, readFileSync(file, 'utf8')))).toEqual([]);
});

test.each([
  ["const hint = 'pass --type oci';", ['a.ts:1: --type']],
  ['\n`--cert-file ${file}`;', ['a.ts:2: --cert-file']],
  ["f({ hint: `a ${b} --x` + '--y-z, or --w' });", ['a.ts:1: --x', 'a.ts:1: --y-z', 'a.ts:1: --w']],
  ['// pass --type\n/* --type */ i--; a-- > b;', []],
  ["x('run \"docker buildx build --output type=oci\"', 'skopeo copy --format v2s2');", []],
  ["x('skopeo copy --format v2s2, or --type');", ['a.ts:1: --type']],
])('%s', (source, found) => {
  expect(namedOptions('a.ts', source)).toEqual(found);
});
