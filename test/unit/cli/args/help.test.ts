import { describe, expect, test } from 'vitest';
import {
  COMMAND_GROUPS,
  COMMAND_NAMES,
  commandOf,
  optionText,
} from '../../../../src/cli/args/commands.js';
import { EXIT_MEANINGS, helpText } from '../../../../src/cli/args/help.js';
import { GLOBAL_OPTIONS, OPTION_NAMES } from '../../../../src/cli/args/options.js';
import { EXIT_CODES } from '../../../../src/errors.js';

const COMMANDS = COMMAND_NAMES.map((name) => ({ name, path: name.split(' '), ...commandOf(name) }));

const isGlobal = (name: string): boolean => GLOBAL_OPTIONS.some((each) => each === name);

describe('the help', () => {
  test('of the program has a line for each command, in groups', () => {
    const text = helpText([], 100);
    for (const { path, describe: what } of COMMANDS) {
      expect(text).toContain(path.join(' '));
      expect(text).toContain(what);
    }
    for (const group of COMMAND_GROUPS) expect(text).toContain(`\n${group}:\n`);
    for (const name of ['insecure', 'retry', 'platforms']) expect(text).not.toContain(`--${name}`);
    expect(text.split('\n').length).toBeLessThan(45);
  });

  test('of all has the options of every command and the exit codes', () => {
    for (const path of [[], ['push'], ['inspect']]) {
      const text = helpText(path, 100, true);
      for (const name of GLOBAL_OPTIONS) expect(text).toContain(`--${name}`);
      expect(text).toContain('Exit codes');
    }
  });

  test('of a group names its commands alone', () => {
    const text = helpText(['push'], 100);
    expect(text).toContain('push from-args');
    expect(text).toContain('push from-spec');
    expect(text).not.toContain('inspect');
  });

  test.each(COMMANDS)('of $path names its options and no others', (command) => {
    const text = helpText(command.path, 100);
    expect(text.toLowerCase()).toContain(command.describe.toLowerCase());
    for (const name of OPTION_NAMES) {
      const what = optionText(name, command.name);
      const isOwn = command.options.includes(name);
      const isNamed = new RegExp(`^ +(-\\w, )?--${name}\\b(?!-)`, 'm').test(text);
      expect([name, isNamed]).toEqual([name, isOwn]);
      if (isOwn) expect(text.replaceAll(/\s+/g, ' ')).toContain(what);
    }
    for (const [example] of command.examples) {
      for (const word of example.replace('$0', 'manifest-tool').split(' ')) {
        expect(text).toContain(word);
      }
    }
  });

  test.each(COMMANDS)('of $path has examples, to be copied', ({ path, examples }) => {
    expect(examples.length).toBeGreaterThanOrEqual(1);
    const copied = helpText(path, 60)
      .replaceAll(/ \\\n +/g, ' ')
      .split('\n');
    for (const [example, what] of examples) {
      const at = copied.indexOf(`  # ${what}`);
      expect(copied.slice(at, at + 2)).toEqual([
        `  # ${what}`,
        `  ${example.replace('$0', 'manifest-tool')}`,
      ]);
    }
  });

  test('of push from-args has at most 45 lines', () => {
    expect(helpText(['push', 'from-args'], 80).trimEnd().split('\n').length).toBeLessThanOrEqual(
      45,
    );
  });

  test.each(COMMANDS)(
    'of $path has one line for each option in 80 columns',
    ({ path, options, name }) => {
      const text = `\n${helpText(path, 80, true)}`;
      const lines = text.slice(text.search(/\n(?:Options|Authentication):/)).split('\n');
      for (const option of [...options, ...GLOBAL_OPTIONS]) {
        // The longest terms have their texts below.
        const at = lines.findIndex((line) =>
          new RegExp(`^ +(-\\w, )?--${option}\\b(?!-)`).test(line),
        );
        const shown = `${lines[at]!} ${lines[at + 1] ?? ''}`;
        expect(shown).toContain(optionText(option, isGlobal(option) ? undefined : name));
      }
    },
  );

  const WIDTHS = [80, 100].flatMap((columns) => COMMANDS.map(({ path }) => ({ path, columns })));
  test.each(WIDTHS)('of $path fits $columns columns', ({ path, columns }) => {
    const lines = helpText(path, columns).split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  });

  test('says what each exit code of an error means', () => {
    const text = helpText([], 100, true).replaceAll(/\s+/g, ' ');
    const known = new Set([0, ...Object.values(EXIT_CODES)]);
    expect(new Set(EXIT_MEANINGS.map(({ code }) => code))).toEqual(known);
    for (const { code, word } of EXIT_MEANINGS) expect(text).toContain(`${code} ${word}`);
  });

  test.each([0, 40, 60, 80, 100, 300])('fits a terminal of %i columns', (columns) => {
    const width = Math.min(columns || 80, 100);
    const lines = helpText([], columns, true).split('\n');
    // What has no blank cannot be folded.
    const long = lines.filter((line) => line.length > width && line.trim().includes('  '));
    expect(columns < 60 ? [] : long).toEqual([]);
  });
});
