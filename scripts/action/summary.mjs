/**
 * A document of `--json`: what was published, or why it failed.
 * @typedef {object} Published
 * @property {string} [target]
 * @property {{ message: string }} [error]
 * @property {string} [digest]
 * @property {string} [mediaType]
 * @property {number} [size]
 * @property {boolean} [dryRun]
 * @property {string} [image] of `digest --json`
 * @property {{ platform?: string | null, digest: string, isAttestation: boolean }[]} [entries]
 * @property {{ image: string }[]} [targets]
 * @property {{ name: string, status: string, from: string | null }[]} [tags]
 * @property {{ platform?: string | null, digest: string, source: string }[]} [images]
 * @property {{ target: string, error: { message: string } }[]} [failed]
 */

/** What was published, as Markdown for the summary of the job. @param {readonly Published[]} documents */
export function summary(documents) {
  return documents.map(section).join('\n');
}

/** @param {Published} document */
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

/** @param {readonly string[]} heads @param {readonly (readonly string[])[]} rows */
function table(heads, rows) {
  if (rows.length === 0) return '';
  /** @param {readonly string[]} cells */
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  return [heads, heads.map(() => '---'), ...rows].map(line).join('');
}

/**
 * Text from a registry, with each character that is special in Markdown or HTML as a reference.
 * @param {unknown} text
 */
function code(text) {
  const escaped = String(text).replaceAll(/[^A-Za-z0-9 ]/gu, (char) => {
    // These have no effect on their own, and keep the summary readable as text.
    return /[-.,/:@=]/.test(char) ? char : `&#${char.codePointAt(0)};`;
  });
  return `<code>${escaped}</code>`;
}
