import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ARGUMENTS, commandsIn } from '../../../src/executables/shell.js';

const environment = new Map([
  ['DIR', '/opt'],
  ['EMPTY', ''],
]);

describe('commandsIn', () => {
  it.each<[string, readonly (readonly unknown[])[]]>([
    ['a b; c && d || e | f & g', [['a', 'b'], ['c'], ['d'], ['e'], ['f'], ['g']]],
    [`'a b' "c d" e\\ f g"h"'i'`, [['a b', 'c d', 'e f', 'ghi']]],
    ['a \\\n b # c\nd', [['a', 'b'], ['d']]],
    ['A=1 B="2 3" c', [['c']]],
    ['$DIR/a ${DIR}/b "$DIR/c" \'$DIR\'', [['/opt/a', '/opt/b', '/opt/c', '$DIR']]],
    ['X=/srv; $X/a $Y ${Y:-z} ${EMPTY:-y} ${DIR-x}', [['/srv/a', undefined, 'z', 'y', '/opt']]],
    ['DIR=$(pwd); $DIR/a', [[undefined]]],
    ['a `b; c` $(d; e) ${f#g} $((1 + 2))', [['a', undefined, undefined, undefined, undefined]]],
    ['exec "$@" $* ${@}', [['exec', ARGUMENTS, ARGUMENTS, ARGUMENTS]]],
    ['a >b 2>&1 <c d >>e', [['a', 'd']]],
    ['a <<E\nb\nE\nc <<-"F"\n\tF\nd', [['a'], ['c'], ['d']]],
    [
      'if a; then b; elif ! c; then { d; }; else (e); fi',
      [['a'], ['b'], ['c'], ['d'], ['e'], ['fi']],
    ],
    ['while a; do b; done', [['a'], ['b'], ['done']]],
    ['a "b', [['a', 'b']]],
    ['', []],
  ])('splits %j', (text, expected) => {
    expect(commandsIn(text, environment)).toEqual(expected);
  });

  it('ends with a list for any text', () => {
    const characters = fc.constantFrom(...'ab=$@*(){}[]<>|&;#\'"`\\ \t\n-1'.split(''));
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => {
        expect(Array.isArray(commandsIn(text, environment))).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});
