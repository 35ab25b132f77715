import { describe, expect, test } from 'vitest';
import { isColoured, palette, type ColourOptions } from '../../../../src/cli/output/colours.js';

const output = (isTTY: boolean) => ({ write: () => undefined, columns: 80, isTTY });
type Row = [isTTY: boolean, env: Record<string, string>, options: ColourOptions, expected: boolean];

describe('output is colored', () => {
  test.each<Row>([
    [true, {}, {}, true],
    [false, {}, {}, false],
    [true, { TERM: 'dumb' }, {}, false],
    [true, { NO_COLOR: '1' }, {}, false],
    [true, { NO_COLOR: '' }, {}, true],
    [false, { FORCE_COLOR: '1' }, {}, true],
    [false, { FORCE_COLOR: '3', NO_COLOR: '1' }, {}, true],
    [true, { FORCE_COLOR: '0' }, {}, false],
    [false, { FORCE_COLOR: '' }, {}, false],
    [false, { CLICOLOR_FORCE: '1' }, {}, true],
    [false, { CLICOLOR_FORCE: '0' }, {}, false],
    [false, { TERM: 'dumb', CLICOLOR_FORCE: '1' }, {}, true],
    [false, { NO_COLOR: '1' }, { color: 'always' }, true],
    [true, { FORCE_COLOR: '1' }, { color: 'never' }, false],
    [true, { FORCE_COLOR: '1' }, { noColor: true }, false],
    [true, {}, { color: 'auto' }, true],
  ])('terminal: %s, env: %j, options: %j -> %s', (isTTY, env, options, expected) => {
    expect(isColoured(output(isTTY), env, options)).toBe(expected);
  });
});

test('a palette without colors changes nothing', () => {
  for (const paint of Object.values(palette(false))) expect(paint('x')).toBe('x');
  for (const paint of Object.values(palette(true)))
    expect(paint('x')).toMatch(/^.\[[0-9;]+mx.\[0m$/);
});
