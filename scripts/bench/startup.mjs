import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeImage } from './images.mjs';
import { environment } from './measure.mjs';
import { run } from './process.mjs';
import { startRegistry } from './registry.mjs';
import { putImage } from './seed.mjs';
import { medians } from './statistics.mjs';
import { BIN } from './tools/ours.mjs';

/** Start-ups are short, so there are more rounds of them. */
const ROUNDS_A_RUN = 4;
const BASE = 'node -e 0';

/**
 * Measures start-up in interleaved rounds: node itself, `--version`, help, and a complete local
 * `inspect`.
 * @param {import('./options.mjs').Options} options
 * @param {(text: string) => void} progress
 * @returns {Promise<import('./measure.mjs').Table>}
 */
export async function measureStartup({ runs }, progress) {
  const registry = await startRegistry();
  const home = mkdtempSync(path.join(tmpdir(), 'mt-bench-home-'));
  try {
    await putImage(registry, 'app', makeImage('linux/amd64'), ['1']);
    const inspect = ['inspect', `${registry.host}/app:1`];
    /** @type {{ name: string, args: string[], runs: import('./statistics.mjs').Measured[] }[]} */
    const cases = [
      { name: BASE, args: ['-e', '0'], runs: [] },
      { name: '--version', args: [BIN, '--version'], runs: [] },
      { name: 'inspect --help', args: [BIN, 'inspect', '--help'], runs: [] },
      { name: 'inspect of an image', args: [BIN, ...inspect], runs: [] },
    ];
    const rounds = runs * ROUNDS_A_RUN;
    progress(`startup: ${rounds} rounds`);
    // The first round fills the file system cache.
    for (let round = 0; round <= rounds; round += 1) {
      for (const one of cases) {
        const {
          code,
          seconds,
          peakMib: mib,
          stderr,
        } = await run([process.execPath, ...one.args], environment(home));
        if (code !== 0) throw new Error(`${one.name} ended with status ${code}: ${stderr}`);
        if (round > 0) one.runs.push({ seconds, mib });
      }
    }
    return {
      job: 'startup',
      title: 'Start-up, no delay',
      base: BASE,
      ours: cases.slice(1).map(({ name }) => name),
      rows: cases.map((one) => ({ name: one.name, runs: rounds, ...medians(one.runs) })),
      cannot: [],
    };
  } finally {
    await registry.stop();
    rmSync(home, { recursive: true, force: true });
  }
}
