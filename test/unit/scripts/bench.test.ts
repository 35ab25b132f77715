import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parseOptions, UsageError } from '../../../scripts/bench/options.mjs';
import { plot } from '../../../scripts/bench/plot.mjs';
import { withSection } from '../../../scripts/bench/section.mjs';
import { medians } from '../../../scripts/bench/statistics.mjs';
import { markdownTable, textTable } from '../../../scripts/bench/table.mjs';

const MEASURED = { requests: 22, connections: 11, chain: 3, mib: 55.4 };
const TABLE = {
  job: 'push',
  title: 'Push & more',
  base: 'ours',
  ours: ['ours'],
  rows: [
    { name: 'ours', runs: 5, seconds: 0.5, ...MEASURED },
    { name: 'slow', runs: 2, seconds: 12.25, ...MEASURED, requests: 33, mib: undefined },
    { name: 'bad', runs: 0, failed: 'no \x1b[31msuch | thing' },
  ],
  cannot: ['other'],
};
const VERSIONS = new Map([['slow', '1.2']]);

describe('what the benchmark prints', () => {
  it('has ratios, failures and what a tool cannot do', () => {
    expect(textTable(TABLE, VERSIONS)).toBe(
      [
        'Push & more',
        '            seconds    requests  connections  longest chain  MiB  runs',
        '  ours      0.50       22        11           3              55   5',
        '  slow 1.2  12.25 x25  33 x1.50  11 x1.00     3 x1.00        -    2',
        '  bad       failed     -         -            -              -    0',
        '  bad failed: no  [31msuch | thing',
        '  cannot do this: other',
      ].join('\n'),
    );
  });

  it('is a table of Markdown as well', () => {
    expect(markdownTable(TABLE, VERSIONS).split('\n')).toEqual([
      '| Push & more | seconds | requests | connections | longest chain | MiB |',
      '| --- | --- | --- | --- | --- | --- |',
      '| ours | 0.50 | 22 | 11 | 3 | 55 |',
      '| slow 1.2 | 12.25 x25 | 33 x1.50 | 11 x1.00 | 3 x1.00 | - |',
      '| bad | failed | - | - | - | - |',
    ]);
  });

  it('has no column of which nothing is known', () => {
    const rows = [{ name: 'node', runs: 1, seconds: 0.0251 }];
    const [, heading, row] = textTable({ ...TABLE, rows, cannot: [] }, VERSIONS).split('\n');
    expect(heading).toBe('        seconds  runs');
    expect(row).toBe('  node  0.025    1');
  });

  it('is a plot, with each tool and for both grounds', () => {
    const svg = plot([TABLE], VERSIONS, ["make bench BENCH_ARGS='<x>'"]);
    for (const text of ['Push &amp; more', '0.50 s', '12.25 s, x24.5', '>failed<', '&lt;x&gt;'])
      expect(svg).toContain(text);
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg.match(/class="ours"/g)).toHaveLength(1);
    expect(svg.match(/class="bar"/g)).toHaveLength(1);
  });
});

describe('medians', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 9], 3],
    [[], undefined],
  ])('of %j are %s', (values, seconds) => {
    expect(medians(values.map((value) => ({ seconds: value }))).seconds).toBe(seconds);
  });

  it('of what is not known of every run are not known', () => {
    expect(medians([{ mib: 1 }, { mib: undefined }]).mib).toBeUndefined();
  });
});

describe('options of the benchmark', () => {
  it('have defaults, and are read', () => {
    expect(parseOptions([])).toMatchObject({ rtt: 50, platforms: 10, runs: 5, write: false });
    const given = '--rtt 0 --jobs copy,startup --tools crane --layer-mib 1 --write'.split(' ');
    expect(parseOptions(given)).toMatchObject({
      rtt: 0,
      jobs: ['copy', 'startup'],
      tools: ['crane'],
      layerMib: 1,
      write: true,
    });
    expect(parseOptions(['--help'])).toBeUndefined();
  });

  it.each([
    ['--rtt', '-1'],
    ['--rtt', '1.5'],
    ['--rtt', ''],
    ['--platforms', '0'],
    ['--platforms', '99'],
    ['--runs', '0'],
    ['--jobs', 'push,pull'],
    ['--jobs', ','],
    ['--tools', 'cranes'],
    ['--unknown', '1'],
    ['word', 'word'],
  ])('refuse %s %s', (name, value) => {
    expect(() => parseOptions([name, value])).toThrow(UsageError);
  });
});

describe('generated sections of documents', () => {
  it('are put between their markers', () => {
    const document = 'a\n<!-- x: made -->\nold\n<!-- /x -->\nb\n<!-- y: made -->\n<!-- /y -->\n';
    expect(withSection(document, 'x', 'new\n')).toBe(document.replace('\nold\n', '\n\nnew\n\n'));
    expect(withSection(withSection(document, 'y', '1'), 'y', '2')).toBe(
      withSection(document, 'y', '2'),
    );
  });

  it.each(['', '<!-- x: made -->\n', '<!-- /x -->\n<!-- x: made -->\n'])(
    'are not put into %j',
    (document) => {
      expect(() => withSection(document, 'x', 'new')).toThrow('no markers');
    },
  );

  it('of docs/internals/performance.md say what docs/round-trips.json says', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['scripts/docs/round-trips.mjs', '--check'],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

test('the figures in the README are those of the benchmark', () => {
  const page = readFileSync('docs/internals/benchmarks.md', 'utf8');
  const cells = (start: string): string[] =>
    page
      .split('\n')
      .find((line) => line.startsWith(start))!
      .split('|')
      .map((cell) => cell.trim());
  const tools = cells('| seconds | this program');
  const seconds = cells("| Push 10 images from the target's repository, 50 ms round trip, TLS");
  const of = (tool: string): string => seconds[tools.findIndex((name) => name.startsWith(tool))]!;
  const readme = readFileSync('README.md', 'utf8').replaceAll(/\s+/g, ' ');
  expect(readme).toContain(
    `at a round trip of 50 ms, takes ${of('this program')} s. docker buildx takes ${of('docker buildx')} s, oras ${of('oras')} s and crane ${of('crane')} s`,
  );
});
