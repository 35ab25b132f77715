import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/oci/digest.js';
import { expectCode, runCli } from '../support/cli.js';
import { putBlob, putManifest } from '../support/http.js';
import { startRecordingProxy, type RecordingProxy } from '../support/proxy.js';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';
import { startSlowLink, type SlowLink } from '../support/slow-link.js';
import { runInTerminal, type Terminal, type TerminalOptions } from '../support/terminal.js';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const SIZE = 1_500_000;
const ESCAPE = '\u001b';

let registry: Registry;
/** Lets the large layer pass in a little more than a second. */
let link: SlowLink;
let far: RecordingProxy;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'live-'));
  registry = await startRegistry();
  await seedParityImages(registry.host, { repositories: ['oci/app'] });
  const config = Buffer.from('{"os":"linux","architecture":"amd64"}');
  const layer = Buffer.alloc(SIZE, 'x');
  const described = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI,
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  };
  await putBlob(registry.host, 'large', config);
  await putBlob(registry.host, 'large', layer);
  await putManifest(registry.host, 'large', '1', OCI, Buffer.from(JSON.stringify(manifest)));
  link = await startSlowLink(registry.host, 1_200_000);
  far = await startRecordingProxy(registry.host, () => ({ delayMs: 200 }));
});

afterAll(async () => {
  await link.stop();
  await far.stop();
  await registry.stop();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;

function copy(options: TerminalOptions, name = 'copy', ...more: string[]) {
  count += 1;
  const target = `oci-layout://${folder}/${name}${count}:1`;
  const terminal = runInTerminal(['copy', `${link.host}/large:1`, target, ...more], options);
  return { terminal, target };
}

/** What was published, the summary if there is one, and the digest. */
function splitScreen(text: string): [published: string, summary: string, digest: string] {
  const at = text.lastIndexOf('Digest:');
  const start = /donein[\d.]+m?s:/.exec(text)?.index ?? at;
  return [text.slice(0, start), text.slice(start, at), text.slice(at)];
}

const DIGEST_LINE = /^Digest: sha256:[0-9a-f]{64} \d+$/;

/**
 * Expects what was published, a summary and the digest on the terminal after the command ended, and
 * nothing else.
 */
async function expectPublished(
  terminal: Terminal,
  target: string,
  columns: number,
  isSummarized = true,
) {
  const { code } = await terminal.done;
  expect(code).toBe(0);
  const { screen } = terminal;
  const squeezed = (text: string): string => text.replaceAll(/\s/g, '');
  // Folding at the width of the terminal moves blanks only.
  const [published, summary, digest] = splitScreen(squeezed(screen.text));
  expect(published).toBe(squeezed(`published ${target}`));
  expect(summary).toMatch(isSummarized ? /^donein[\d.]+m?s:1imagewritten,1\.50MBcopied$/ : /^$/);
  expect(digest).toMatch(/^Digest:sha256:[0-9a-f]{64}\d+$/);
  const rows = screen.text.split('\n');
  expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(columns);
  expectUsable(terminal);
}

/** The line is free for the prompt of the shell, and the cursor is there. */
function expectUsable({ screen }: Terminal): void {
  expect(screen.isCursorShown).toBe(true);
  expect(screen.cursorColumn).toBe(0);
}

describe('the live line of a copy', () => {
  it.each([200, 80, 40, 20, 10])('in %i columns', async (columns) => {
    const { terminal, target } = copy({ columns });
    await terminal.until(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] .*…?/);
    await terminal.until(columns < 80 ? /\d+%/ : /\d+% of 1\.50 MB, .*B\/s/);
    // Nothing of it was ever wider than the terminal.
    expect(terminal.screen.wraps).toBe(0);
    expect(terminal.screen.isCursorShown).toBe(false);
    await expectPublished(terminal, target, columns);
    expect(terminal.screen.isColoured).toBe(false);
  });

  it('of which a long name is cut first', async () => {
    const { terminal, target } = copy({ columns: 80 }, 'a-long-name-'.repeat(10));
    await terminal.until(/^. writing 1 image.*… · 1 read · \d+% of .*B\/s/);
    expect(terminal.screen.wraps).toBe(0);
    await expectPublished(terminal, target, 80);
  });

  it('with characters of two columns', async () => {
    const { terminal } = copy({ columns: 60 }, '漢字'.repeat(20));
    await terminal.until(/writing 1 image.*\d+% of/);
    expect(terminal.screen.wraps).toBe(0);
    expect((await terminal.done).code).toBe(0);
    expect(terminal.screen.text).toMatch(/^published oci-layout/);
    expectUsable(terminal);
  });

  it.each([0, 1, 5])('is not drawn in %i columns', async (columns) => {
    const { terminal } = copy({ columns });
    expect((await terminal.done).code).toBe(0);
    expect(terminal.sent()).not.toContain(ESCAPE);
    expect(terminal.sent()).toMatch(/^published .*\r\nDigest: sha256:[0-9a-f]{64} \d+\r\n$/);
  });

  it.each([
    ['a dumb terminal', { TERM: 'dumb' }],
    ['a log of CI', { CI: 'true' }],
  ])('is not drawn on %s', async (_, env) => {
    const { terminal, target } = copy({ columns: 200, env });
    await expectPublished(terminal, target, 200, false);
    expect(terminal.sent()).not.toContain(ESCAPE);
  });

  it('stays on a terminal whose standard output goes to a file', async () => {
    const { terminal, target } = copy({ columns: 80, streams: ['stdin', 'stderr'] });
    await terminal.until(/\d+% of/);
    const { stdout } = await terminal.done;
    expect(stdout).toMatch(/^Digest: sha256:[0-9a-f]{64} \d+\n$/);
    const shown = terminal.screen.text.replaceAll(/\s/g, '');
    expect(shown.replace(/donein.*$/, '')).toBe(`published${target}`);
    expect(shown).toMatch(/donein[\d.]+m?s:1imagewritten,1\.50MBcopied$/);
    expectUsable(terminal);
  });

  it('is not in a file that standard error goes to', async () => {
    const { terminal, target } = copy({ columns: 200, streams: ['stdin', 'stdout'] });
    const { stderr } = await terminal.done;
    expect(stderr).toBe(`published ${target}\n`);
    expect(terminal.sent()).not.toContain(ESCAPE);
    expect(terminal.screen.text).toMatch(DIGEST_LINE);
  });
});

describe('a terminal that is made', () => {
  it.each([
    ['narrower', 80, 30],
    ['wider', 30, 120],
  ])('%s while a copy runs', async (_, before, after) => {
    const { terminal, target } = copy({ columns: before });
    await terminal.until(/\d+%/);
    terminal.resize(after, 24);
    // That of the new width, beside whatever the terminal itself made of the old one.
    await terminal.until(after > 100 ? /writing .* · 1 read · \d+% .*B\/s/ : /^. \d+% of .*…$/);
    await expectPublished(terminal, target, after);
  });

  it('nothing: the live line goes, the command does not', async () => {
    const { terminal, target } = copy({ columns: 80 });
    await terminal.until(/\d+%/);
    terminal.resize(0, 0);
    await expectPublished(terminal, target, 80);
  });
});

describe('Ctrl-C', () => {
  it.each([80, 20])('in a copy, in %i columns', async (columns) => {
    const { terminal } = copy({ columns });
    await terminal.until(/\d+%/);
    terminal.type('\u0003');
    const { code } = await terminal.done;
    expect(code).toBe(130);
    const text = terminal.screen.text.replaceAll('\n', '');
    expect(text).toMatch(
      /^manifest-tool: .* failed: it was interrupted; nothing was published *hint: /,
    );
    expectUsable(terminal);
  });

  it('twice, in a check of a registry that takes its time', async () => {
    const name = `${far.host}/team/twice`;
    const terminal = runInTerminal(['check-registry', name], { columns: 80 });
    await terminal.until(/[1-9]\d* of \d+ checks done/);
    far.intercept = () => ({ delayMs: 3000 });
    try {
      await sleep(300);
      terminal.type('\u0003');
      await sleep(50);
      terminal.type('\u0003');
      expect((await terminal.done).code).toBe(130);
      expect(terminal.screen.text).not.toMatch(/checks done/);
      expectUsable(terminal);
    } finally {
      far.intercept = () => ({ delayMs: 200 });
    }
  });

  it('in a check of a registry that answers no more', async () => {
    const terminal = runInTerminal(['check-registry', `${far.host}/team/slow`], { columns: 80 });
    await terminal.until(/[1-9]\d* of \d+ checks done/);
    far.intercept = () => ({ delayMs: 3000 });
    try {
      terminal.type('\u0003');
      expect((await terminal.done).code).toBe(130);
      expect(terminal.screen.text).toMatch(/^manifest-tool: /);
      expect(terminal.screen.text).not.toMatch(/checks done/);
      expectUsable(terminal);
    } finally {
      far.intercept = () => ({ delayMs: 200 });
    }
  });
});

describe('what else is live', () => {
  it('a push, with its warnings whole above the line', async () => {
    const image = `${far.host}/oci/app`;
    const words = ['--platforms', 'linux/amd64,linux/arm64', '--template', `${image}:OS-ARCH`];
    const target = ['--target', `${image}:live`, '--type', 'oci', '--ignore-missing'];
    const terminal = runInTerminal(['push', 'from-args', ...words, ...target], { columns: 80 });
    await terminal.until(/^. reading 2 images/);
    const { code } = await terminal.done;
    expect(code).toBe(0);
    const { lines } = terminal.screen;
    expect(lines.join('\n')).toMatch(/^published .*:live$/m);
    expect(lines.join('\n')).toMatch(/^manifest-tool: warning: /);
    expect(lines.join('\n')).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    expectUsable(terminal);
  });

  it('a wait for what is not there yet', async () => {
    const target = `oci-layout://${folder}/waited:1`;
    const words = ['copy', `${far.host}/late:1`, target, '--wait', '2s'];
    const terminal = runInTerminal(words, { columns: 80 });
    await terminal.until(/^waiting: .*\n(.*\n)?. .*waiting \d/m);
    const { code } = await terminal.done;
    expect(code).toBe(3);
    expect(terminal.screen.text).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/);
    expectUsable(terminal);
  });
});

describe('the digests of a table', () => {
  let name: string;

  beforeAll(async () => {
    name = `${registry.host}/oci/app:table`;
    const sources = ['amd64', 's390x'].map((arch) => `${registry.host}/oci/app:linux-${arch}`);
    expectCode(await runCli(['create', '-t', name, ...sources]), 0);
  });

  const shown = async (columns: number, ...more: string[]): Promise<string> => {
    const args = ['inspect', '--format=table', name, ...more];
    const terminal = runInTerminal(args, { columns, env: { NO_COLOR: '1' } });
    expect((await terminal.done).code).toBe(0);
    expectUsable(terminal);
    return terminal.sent().replaceAll('\r\n', '\n');
  };

  it.each([80, 120, 200])(
    'are whole in %i columns, or the last line names the command',
    async (columns) => {
      const text = await shown(columns);
      const listed = await runCli(['digest', '--all', name]);
      const digests = listed.stdout.match(/sha256:[0-9a-f]{64}/g)!;
      expect(digests).toHaveLength(2);
      for (const digest of digests) expect(text.includes(`  ${digest}\n`)).toBe(columns > 80);
      expect(text.includes(`\n\nFull digests: manifest-tool digest --all ${name}\n`)).toBe(
        columns === 80,
      );
      expect(text.includes('Full digests')).toBe(columns === 80);
      const full = await runCli(['digest', '--full', name]);
      expect(text).toContain(`Image:  ${full.stdout}`);
    },
  );

  it('are whole for a single image, whose digest is above the table', async () => {
    const text = await shown(80, '--platform', 'linux/amd64');
    const digest = (await runCli(['digest', '--platform', 'linux/amd64', name])).stdout;
    expect(text).toContain(`Digest: ${digest}`);
    expect(text).not.toContain('Full digests');
  });
});

describe('colours of inspect', () => {
  const inspect = (env: Record<string, string>, ...more: string[]) =>
    runInTerminal(['inspect', `${registry.host}/oci/app:linux-amd64`, ...more], {
      columns: 80,
      env,
    });

  it.each<[string, Record<string, string>, string[], boolean]>([
    ['are there', {}, [], true],
    ['are not there with NO_COLOR', { NO_COLOR: '1' }, [], false],
    ['are not there with --no-color', {}, ['--no-color'], false],
    ['are not there on a dumb terminal', { TERM: 'dumb' }, [], false],
    ['are not in the table with NO_COLOR', { NO_COLOR: '1' }, ['--format=table'], false],
  ])('%s', async (_, env, more, isColoured) => {
    const terminal = inspect(env, ...more);
    expect((await terminal.done).code).toBe(0);
    expect(terminal.screen.isColoured).toBe(isColoured);
    expectUsable(terminal);
  });
});
