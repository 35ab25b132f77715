import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, commandOf, optionsOf } from '../../../../src/cli/args/commands.js';
import { EXIT_MEANINGS, helpText } from '../../../../src/cli/args/help.js';
import { GLOBAL_OPTIONS, OPTIONS } from '../../../../src/cli/args/options.js';
import { EXIT_CODES } from '../../../../src/cli/exit-codes.js';

const COMMANDS = COMMAND_NAMES.map((name) => ({ name, path: name.split(' '), ...commandOf(name) }));

describe('the help', () => {
  test('of all names every command, the exit codes and the options of all', async () => {
    const text = await helpText([], 100);
    for (const { path, describe: what } of COMMANDS) {
      expect(text).toContain(path.join(' '));
      expect(text).toContain(what);
    }
    for (const name of GLOBAL_OPTIONS) expect(text).toContain(`--${name}`);
    expect(text).toContain('Exit codes');
    expect(text).not.toContain('--platforms');
  });

  test('of a group names its commands alone', async () => {
    const text = await helpText(['push'], 100);
    expect(text).toContain('push from-args');
    expect(text).toContain('push from-spec');
    expect(text).not.toContain('inspect');
  });

  test.each(COMMANDS)('of $path names its options and no others', async (command) => {
    const text = await helpText(command.path, 100);
    expect(text).toContain(command.describe);
    for (const [name, { describe: what }] of Object.entries(OPTIONS)) {
      const isOwn = optionsOf(command.name).some((option) => option === name);
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

  test.each(COMMANDS)('of $path has two examples, to be copied', async ({ path, examples }) => {
    expect(examples.length).toBeGreaterThanOrEqual(2);
    const copied = (await helpText(path, 60)).replaceAll(/ \\\n +/g, ' ').split('\n');
    for (const [example, what] of examples) {
      const at = copied.indexOf(`  # ${what}`);
      expect(copied.slice(at, at + 2)).toEqual([
        `  # ${what}`,
        `  ${example.replace('$0', 'manifest-tool')}`,
      ]);
    }
  });

  const WIDTHS = [80, 100].flatMap((columns) => COMMANDS.map(({ path }) => ({ path, columns })));
  test.each(WIDTHS)('of $path fits $columns columns', async ({ path, columns }) => {
    const lines = (await helpText(path, columns)).split('\n');
    expect(lines.filter((line) => line.length > columns)).toEqual([]);
  });

  test('says what each exit code of an error means', async () => {
    const text = (await helpText([], 100)).replaceAll(/\s+/g, ' ');
    const known = new Set([0, ...Object.values(EXIT_CODES)]);
    expect(new Set(EXIT_MEANINGS.map(({ code }) => code))).toEqual(known);
    for (const { code, word } of EXIT_MEANINGS) expect(text).toContain(`${code} ${word}`);
  });

  test.each([0, 40, 60, 80, 100, 300])('fits a terminal of %i columns', async (columns) => {
    const width = Math.min(columns || 80, 100);
    const lines = (await helpText([], columns)).split('\n');
    // What has no blank cannot be folded.
    const long = lines.filter((line) => line.length > width && line.trim().includes('  '));
    expect(columns < 60 ? [] : long).toEqual([]);
  });
});
