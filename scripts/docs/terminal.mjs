/**
 * Draws docs/terminal.svg: a terminal in which the built program runs the commands below.
 *
 *     node scripts/docs/terminal.mjs           writes it
 *     node scripts/docs/terminal.mjs --check   exits 1 if the committed picture differs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../project.mjs';

const PICTURE = path.join(ROOT, 'docs/terminal.svg');
const PROGRAM = path.join(ROOT, 'bin/manifest-tool.cjs');

/** Run in a directory in which `build` is an OCI layout with an image for each platform. */
const COMMANDS = [
  [
    'manifest-tool push --type auto from-args --platforms linux/amd64,linux/arm64/v8,linux/riscv64 \\',
    '    --template oci-layout://build:OS-ARCHVARIANT --target oci-layout://app:1.0',
  ],
  ['manifest-tool inspect --format table oci-layout://app:1.0'],
  ['manifest-tool verify --at-least linux/amd64,linux/s390x oci-layout://app:1.0'],
];

const COLUMNS = 112;
const [LINE_HEIGHT, CHARACTER_WIDTH, MARGIN] = [19, 7.83, 16];
const STYLE = `
  text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #24292f; white-space: pre }
  .ground { fill: #f6f8fa }
  .prompt { fill: #57606a }
  .command { font-weight: 600 }
  .red { fill: #cf222e }
  .green { fill: #1a7f37 }
  .yellow { fill: #9a6700 }
  .blue, .cyan { fill: #0969da }
  .dim { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ground { fill: #0d1117 }
    .prompt, .dim { fill: #9198a1 }
    .red { fill: #ff7b72 }
    .green { fill: #3fb950 }
    .yellow { fill: #d29922 }
    .blue, .cyan { fill: #58a6ff }
  }`;
/** Classes of the codes of Select Graphic Rendition (ECMA-48 8.3.117) that the program uses. */
const CLASSES = new Map([
  ['2', 'dim'],
  ['31', 'red'],
  ['32', 'green'],
  ['33', 'yellow'],
  ['34', 'blue'],
  ['36', 'cyan'],
]);

/** What a command prints, both streams in their order, as bytes for a terminal. @param {string} command @param {string} folder */
function run(command, folder) {
  const shim = `manifest-tool() { '${process.execPath}' '${PROGRAM}' "$@"; }`;
  const env = { PATH: process.env['PATH'], HOME: folder, FORCE_COLOR: '1', COLUMNS: `${COLUMNS}` };
  const script = `${shim}\nexec 2>&1\n${command}\ntrue`;
  return execFileSync('bash', ['-c', script], { cwd: folder, env, encoding: 'utf8' });
}

/** @param {string} text */
function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A line of output as spans, by its colours. @param {string} line */
function spans(line) {
  const [start = '', ...parts] = line.split('\u{1b}[');
  const coloured = parts.map((part) => {
    const [, codes = '', text = ''] = /^([\d;]*)m(.*)$/.exec(part) ?? [];
    const name = codes
      .split(';')
      .map((code) => CLASSES.get(code) ?? '')
      .join('');
    return name === '' ? escaped(text) : `<tspan class="${name}">${escaped(text)}</tspan>`;
  });
  return [escaped(start), ...coloured].join('');
}

/** Cuts a line where the terminal would wrap it. @param {string} line */
function wrapped(line) {
  if (line.includes('\u{1b}') || line.length <= COLUMNS) return [line];
  const parts = [];
  for (let at = 0; at < line.length; at += COLUMNS) parts.push(line.slice(at, at + COLUMNS));
  return parts;
}

function draw() {
  const folder = mkdtempSync(path.join(tmpdir(), 'mt-picture-'));
  try {
    symlinkSync(path.join(ROOT, 'fixtures/layout'), path.join(folder, 'build'));
    const lines = COMMANDS.flatMap((command) => [
      ...command.map((line, i) => {
        const prompt = i === 0 ? '<tspan class="prompt">$ </tspan>' : '  ';
        return `${prompt}<tspan class="command">${escaped(line)}</tspan>`;
      }),
      ...run(command.join('\n'), folder).trimEnd().split('\n').flatMap(wrapped).map(spans),
      '',
    ]);
    lines.pop();
    const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
    const width = Math.ceil(COLUMNS * CHARACTER_WIDTH) + 2 * MARGIN;
    const texts = lines.map(
      (line, i) =>
        `<text x="${MARGIN}" y="${MARGIN + (i + 1) * LINE_HEIGHT - 4}" xml:space="preserve">${line}</text>`,
    );
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>manifest-tool publishes an index, shows it, and verifies it</title>
<style>${STYLE}
</style>
<rect class="ground" width="${width}" height="${height}" rx="8"/>
${texts.join('\n')}
</svg>
`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const drawn = draw();
if (!process.argv.includes('--check')) writeFileSync(PICTURE, drawn);
else if (readFileSync(PICTURE, 'utf8') !== drawn) {
  console.error('docs/terminal.svg is stale: run make docs');
  process.exitCode = 1;
}
