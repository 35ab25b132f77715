import { exampleLines } from '../../src/cli/args/help.js';
import type { Item, Page } from './page.js';
import type { Text } from './text.js';

/** Columns of an example: man pages have 80 at least, of which the margins take ten. */
const WIDTH = 66;

/** `manifest-tool-push-from-args` */
export function manName(slug: string): string {
  return slug === '' ? 'manifest-tool' : `manifest-tool-${slug}`;
}

/**
 * A page in the man macros of roff (groff_man(7)). Without date and version, the same definitions
 * give the same bytes.
 */
export function roff(page: Page): string {
  const name = manName(page.slug);
  const lines = [
    '.\\" Made by `make manual` from src/cli/args/commands.ts, src/cli/args/options.ts and scripts/manual: change those.',
    `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted('manifest-tool')} ${quoted('User Commands')}`,
    // No hyphenation and no justification, which would change words that users type.
    '.nh',
    '.ad l',
    ...section('NAME', [line(`${name} - ${page.describe}`)]),
    ...section('SYNOPSIS', [bold(page.synopsis)]),
    ...section('DESCRIPTION', paragraphs(page.description)),
    ...section('COMMANDS', commands(page)),
    ...section('OPTIONS', items(page.options)),
    ...section('OPTIONS OF EVERY COMMAND', everywhere(page)),
    ...section('EXAMPLES', page.examples.flatMap(example)),
    ...section('EXIT STATUS', items(page.exit)),
    ...section('ENVIRONMENT', items(page.environment)),
    ...section('FILES', items(page.files)),
    ...section('SEE ALSO', seeAlso(page)),
  ];
  return `${lines.join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`.SH ${quoted(title)}`, ...lines];
}

function paragraphs(texts: readonly Text[]): string[] {
  return texts.flatMap((text) => ['.PP', inline(text)]);
}

function items(all: readonly Item[]): string[] {
  return all.flatMap(({ terms, text }) => {
    const names = terms.map(({ word, value }) => bold(word) + (value === '' ? '' : italic(value)));
    return ['.TP', names.join(', '), inline(text)];
  });
}

function commands({ commands: all }: Page): string[] {
  return all.flatMap(({ page, usage }) => [
    '.TP',
    bold(usage.replace(' [options]', '')),
    line(`${page.describe}; see `) + reference(page.slug),
  ]);
}

function everywhere({ everywhere: groups }: Page): string[] {
  return groups.flatMap(({ group, items: all }) => [`.SS ${quoted(group)}`, ...items(all)]);
}

/** A command line as it is typed, not filled. */
function example([command, describe]: Page['examples'][number]): string[] {
  const typed = exampleLines(command, WIDTH).map(line);
  return ['.PP', line(`${describe}:`), '.PP', '.RS 4', '.nf', ...typed, '.fi', '.RE'];
}

function seeAlso({ seeAlso: others, more }: Page): string[] {
  const pages = others.map(({ slug }) => reference(slug)).join(', ');
  return more === undefined
    ? [pages]
    : [
        pages,
        '.PP',
        inline([{ text: `docs/reference/${more}`, isCode: true }]) + line(' in the package'),
      ];
}

function reference(slug: string): string {
  return `${bold(manName(slug))}(1)`;
}

function inline(text: Text): string {
  return line(text.map((piece) => (piece.isCode ? MARK + piece.text + MARK : piece.text)).join(''))
    .split(MARK)
    .map((piece, i) => (i % 2 === 1 ? `\\fB${piece}\\fR` : piece))
    .join('');
}

/** Delimits typed words until the text is escaped; no text contains it. */
const MARK = '\u0000';

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** A line of text; `.` or `'` at its start would be a request. */
function line(text: string): string {
  return /^[.']/.test(text) ? `\\&${escaped(text)}` : escaped(text);
}

function quoted(text: string): string {
  return `"${escaped(text)}"`;
}

/**
 * Characters that roff interprets or replaces: `-`, for example, becomes a hyphen, which no shell
 * accepts as an option.
 */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '"': '\\(dq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

function escaped(text: string): string {
  return (
    text
      .replaceAll(/[\\\-'"`^~]/g, (char) => ESCAPES[char]!)
      // oxlint-disable-next-line no-control-regex -- MARK is none of the text
      .replaceAll(/[^\u0000-\u007e]/gu, (char) => {
        return `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
      })
  );
}
