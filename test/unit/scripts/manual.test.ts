import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMAND_TEXTS } from '../../../scripts/manual/command-texts.js';
import { manual } from '../../../scripts/manual/manual.js';
import { markdown } from '../../../scripts/manual/markdown.js';
import { pages, type Page } from '../../../scripts/manual/page.js';
import { roff } from '../../../scripts/manual/roff.js';
import { ENVIRONMENT } from '../../../scripts/manual/surroundings.js';
import { literal, rich } from '../../../scripts/manual/text.js';
import { COMMAND_NAMES, commandOf, optionsOf, optionText } from '../../../src/cli/args/commands.js';

const FILES = [...manual()].map(([name, text]) => ({ name, text }));
const MAN = FILES.filter(({ name }) => name.startsWith('man/'));

/** A man page as it is shown, and all that the formatter has to say against it. */
function shown(text: string): { readonly page: string; readonly warnings: string } {
  const args = ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=200n'];
  const { stdout, stderr, error } = spawnSync('groff', args, { input: text, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { page: stdout, warnings: stderr };
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('the manual', () => {
  test('has a page of each command in both forms, and the program', () => {
    const slugs = COMMAND_NAMES.map((name) => name.replaceAll(' ', '-'));
    expect(FILES.map(({ name }) => name).toSorted()).toEqual(
      [
        'docs/reference/commands/README.md',
        'man/manifest-tool.1',
        ...slugs.flatMap((slug) => [
          `docs/reference/commands/${slug}.md`,
          `man/manifest-tool-${slug}.1`,
        ]),
      ].toSorted(),
    );
  });

  test('refers to pages that exist', () => {
    for (const { more } of Object.values(COMMAND_TEXTS)) {
      if (more !== undefined) expect(existsSync(`docs/reference/${more}`)).toBe(true);
    }
  });

  test.each(COMMAND_NAMES)('of %s tells all options and examples', (command) => {
    const slug = command.replaceAll(' ', '-');
    const page = manual().get(`docs/reference/commands/${slug}.md`)!;
    const man = oneLine(shown(manual().get(`man/manifest-tool-${slug}.1`)!).page);
    for (const name of optionsOf(command)) {
      expect(page).toContain(`\`--${name}`);
      expect(man).toContain(` --${name}`);
      expect(man).toContain(optionText(name, command));
    }
    for (const [example] of commandOf(command).examples) {
      const line = example.replace('$0', 'manifest-tool');
      expect(oneLine(page.replaceAll('\\\n', ' '))).toContain(line);
      expect(man.replaceAll(' \\ ', ' ')).toContain(line);
    }
  });

  test('tells all environment variables that are read', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(path.join('src', name), 'utf8'))
      .join('\n');
    const read = new Set([...sources.matchAll(/\benv\['(\w+)'\]|'(\w+_PROXY)'/g)].flat());
    const told = new Set(ENVIRONMENT.flatMap(([name]) => name.split(', ')));
    const names = [...read].filter((name) => /^[A-Z_]+$/.test(name ?? ''));
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) expect(told).toContain(name);
  });

  test('is named by package.json', () => {
    const { man, files } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      man: string[];
      files: string[];
    };
    expect(man).toEqual(MAN.map(({ name }) => `./${name}`).toSorted());
    expect(files).toEqual(expect.arrayContaining(['man']));
  });
});

describe('a man page', () => {
  test.each(MAN)('$name has no fault', ({ text }) => {
    expect(shown(text).warnings).toBe('');
  });

  test('shows every character as it is', () => {
    const odd = `.x 'y' "z" \\n \\fB ~a ^b \`c\` -d --e %f @g … é`;
    const base = pages()[1]!;
    const page: Page = {
      ...base,
      description: [literal(odd), literal(`'tis`), rich('.a is `.b \\c` and `-d`')],
      examples: [[`$0 ${odd}`, odd]],
    };
    const { page: text, warnings } = shown(roff(page));
    expect(warnings).toBe('');
    const lines = text.split('\n').map((line) => line.trim());
    const wanted = [odd, "'tis", '.a is .b \\c and -d', `${odd}:`, `manifest-tool ${odd}`];
    expect(lines).toEqual(expect.arrayContaining(wanted));
  });
});

describe('a Markdown page', () => {
  test.each(FILES.filter(({ name }) => name.endsWith('.md')))(
    '$name has rows of two cells',
    ({ text }) => {
      const rows = text.split('\n').filter((line) => line.startsWith('|'));
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(3);
    },
  );

  test('has no markup by accident', () => {
    const page: Page = {
      ...pages()[1]!,
      description: [literal('*a* _b_ <c> [d](e) `f` \\g')],
    };
    expect(markdown(page)).toContain('\n\\*a\\* \\_b\\_ \\<c\\> \\[d\\](e) \\`f\\` \\\\g\n');
  });
});
