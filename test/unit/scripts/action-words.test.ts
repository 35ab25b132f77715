import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const MODULE = new URL('../../../scripts/action/words.mjs', import.meta.url).href;
const { words } = (await import(MODULE)) as { words: (text: string) => string[] };

/** The words that bash cuts each text into; undefined where it is an error. */
function wordsOfBash(texts: readonly string[]): (string[] | undefined)[] {
  const script = String.raw`
    while IFS= read -r -d '' text; do
      if eval "set -- $text" 2> /dev/null; then printf '<%s>' "$@"; else printf error; fi
      printf '\0'
    done`;
  const input = texts.map((text) => `${text}\0`).join('');
  const { stdout } = spawnSync('bash', ['-c', script], { input, encoding: 'utf8' });
  const answers = stdout.split('\0').slice(0, -1);
  expect(answers).toHaveLength(texts.length);
  return answers.map((answer, i) => {
    if (answer === 'error') return undefined;
    // printf prints its format once where there is no word.
    if (answer === '<>' && !/['"]/.test(texts[i]!)) return [];
    return [...answer.matchAll(/<([^<>]*)>/g)].map(([, word]) => word!);
  });
}

function ownWords(text: string): string[] | undefined {
  try {
    return words(text);
  } catch {
    return undefined;
  }
}

it('cuts as bash does, where nothing is expanded', () => {
  const parts = ['a', 'b=c', "'", '"', '\\', ' ', '\t', "''", '""', '\\"', "\\'"];
  const text = fc.array(fc.constantFrom(...parts), { maxLength: 12 });
  const texts = fc.sample(text, 500).map((each) => each.join(''));
  expect(texts.map(ownWords)).toEqual(wordsOfBash(texts));
});

it.each([
  ['lines', 'a\n  b\r\n\nc', ['a', 'b', 'c']],
  ['a line that goes on', 'a \\\n b\\\nc', ['a', 'bc']],
  ['a line end in quotes', '"a\nb" \'c\nd\' "e\\\nf"', ['a\nb', 'c\nd', 'ef']],
  [
    'what a shell would expand',
    '$A "$(b)" `c` * ~ {d,e} #f',
    ['$A', '$(b)', '`c`', '*', '~', '{d,e}', '#f'],
  ],
  [
    'what a shell would follow',
    'a; b && c > d | e &',
    ['a;', 'b', '&&', 'c', '>', 'd', '|', 'e', '&'],
  ],
])('%s', (_what, text, expected) => {
  expect(words(text)).toEqual(expected);
});
