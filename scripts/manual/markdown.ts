import { exampleLines } from '../../src/cli/args/help.js';
import type { Item, Page } from './page.js';
import type { Text } from './text.js';

/** Columns of an example; a longer line is cut off at the margin of the page. */
const WIDTH = 90;

const NOTE =
  '<!-- Made by `make manual` from src/cli/args/commands.ts, src/cli/args/options.ts and scripts/manual: change those. -->';

/** The file of a page in docs/reference/commands. */
export function markdownName(slug: string): string {
  return `${slug === '' ? 'README' : slug}.md`;
}

/** A page as GitHub's Markdown. */
export function markdown(page: Page): string {
  const sections = [
    `# ${page.title}\n\n${NOTE}\n\n${escaped(page.describe)}\n\n${code(page.synopsis)}`,
    ...page.description.map(inline),
    ...section('Commands', commands(page)),
    ...section('Examples', examples(page)),
    ...section('Options', table('option', page.options)),
    ...everywhere(page),
    ...section('Exit codes', table('code', page.exit)),
    ...(page.slug === ''
      ? [
          ...section('Environment', table('variable', page.environment)),
          ...section('Files', table('file', page.files)),
        ]
      : []),
    ...section('See also', seeAlso(page)),
  ];
  return `${sections.join('\n\n')}\n`;
}

function section(title: string, text: string): string[] {
  return text === '' ? [] : [`## ${title}\n\n${text}`];
}

function code(text: string): string {
  return ['```sh', text, '```'].join('\n');
}

function commands({ commands: all }: Page): string {
  if (all.length === 0) return '';
  const rows = all.map(
    ({ page, usage }) =>
      `| [${cell(`\`${usage.replace(' [options]', '')}\``)}](${markdownName(page.slug)}) | ${cell(escaped(page.describe))} |`,
  );
  return ['| command | does |', '| --- | --- |', ...rows].join('\n');
}

function examples(page: Page): string {
  const lines = page.examples.flatMap(([example, describe]) => [
    `# ${describe}`,
    ...exampleLines(example, WIDTH),
  ]);
  return code(lines.join('\n'));
}

/** The global options: on the page of the program in full, on the others as a link. */
function everywhere(page: Page): string[] {
  if (page.slug !== '') {
    const names = page.everywhere.flatMap(({ items }) =>
      items.map(({ terms }) => `\`${terms.at(-1)!.word}\``),
    );
    const link = `[options of every command](README.md#options-of-every-command)`;
    return [`It also has the ${link}: ${names.join(', ')}.`];
  }
  const groups = page.everywhere.map(
    ({ group, items }) => `### ${group}\n\n${table('option', items)}`,
  );
  return section('Options of every command', groups.join('\n\n'));
}

function table(title: string, items: readonly Item[]): string {
  if (items.length === 0) return '';
  const rows = items.map(({ terms, text }) => {
    const names = terms.map(({ word, value }) => `\`${word}${value}\``).join(', ');
    return `| ${cell(names)} | ${cell(inline(text))} |`;
  });
  return [`| ${title} | meaning |`, '| --- | --- |', ...rows].join('\n');
}

function seeAlso({ slug, seeAlso: others, more }: Page): string {
  if (slug === '') {
    const guides = ['docker-manifest', 'manifest-tool', 'buildx-imagetools'];
    const links = guides.map((name) => `[from-${name}.md](../../guides/from-${name}.md)`);
    return `${links.join(', ')}: the commands of other tools beside those of this one.`;
  }
  const links = others.map((other) => `[${other.title}](${markdownName(other.slug)})`);
  return [...links, ...(more === undefined ? [] : [`[${more}](../${more})`])].join(', ');
}

function inline(text: Text): string {
  return text.map((piece) => (piece.isCode ? `\`${piece.text}\`` : escaped(piece.text))).join('');
}

/** Escapes every character that is markup. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_<>[\]]/g, (char) => `\\${char}`);
}

/** Escapes `|`, which ends a cell of a table, in code as well. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
