/** What was published, as Markdown for the summary of the job: of one document of `--json` or several. */
export function summary(documents) {
  return documents.map(section).join('\n');
}

function section(document) {
  const head = `### ${code(document.target)}\n\n`;
  if (document.error !== undefined) return `${head}**Failed**: ${code(document.error.message)}\n`;
  const { digest, mediaType, size, dryRun, tags = [], images = [], failed = [] } = document;
  const parts = [
    `${code(digest)}, ${code(mediaType)}, ${size} bytes${dryRun ? ' (dry run: nothing is written)' : ''}\n`,
    table(
      ['Tag', 'Status', 'Before'],
      tags.map(({ name, status, from }) => [
        code(name),
        status,
        from === null ? 'new' : code(from),
      ]),
    ),
    table(
      ['Platform', 'Image', 'From'],
      images.map((image) => [
        code(image.platform ?? 'none'),
        code(image.digest),
        code(image.source),
      ]),
    ),
    ...failed.map(({ target, error }) => `**Failed** at ${code(target)}: ${code(error.message)}\n`),
  ];
  return `${head}${parts.filter((part) => part !== '').join('\n')}`;
}

function table(heads, rows) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return [heads, heads.map(() => '---'), ...rows].map(line).join('');
}

/** Text of a registry: each character that may mean something in Markdown or HTML is written as its number. */
function code(text) {
  const escaped = String(text).replaceAll(/[^A-Za-z0-9 ]/gu, (char) => {
    // These do nothing by themselves, and the summary stays readable as text.
    return /[-.,/:@=]/.test(char) ? char : `&#${char.codePointAt(0)};`;
  });
  return `<code>${escaped}</code>`;
}
