import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRegistry, type Registry } from '../support/registry.js';
import { seedParityImages } from '../support/seed.js';

/**
 * What a command loads is what its start takes: files of the build, each of which has to be found, opened and compiled, and modules of Node.
 * Lists and no timings: a line more here is meant, or a mistake.
 */

const BIN = fileURLToPath(new URL('../../bin/manifest-tool.cjs', import.meta.url));
const LAYOUT = 'oci-layout://fixtures/layout:linux-amd64';

/** Writes down at the end which files were loaded, and which public modules of Node. */
const REPORT = `
const Module = require('node:module');
const files = [];
const load = Module._extensions['.js'];
Module._extensions['.cjs'] = (module, file) => {
  files.push(require('node:path').basename(file));
  return load(module, file);
};
process.on('exit', () => {
  const builtins = process.moduleLoadList
    .map((name) => /^NativeModule (?!internal)(.*)$/.exec(name)?.[1])
    .filter(Boolean);
  require('node:fs').writeSync(2, '\\n' + JSON.stringify({ files, builtins }));
});
`;

let folder: string;
let registry: Registry;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'start-up-'));
  writeFileSync(path.join(folder, 'report.cjs'), REPORT);
  registry = await startRegistry();
  await seedParityImages(registry.host, { repositories: ['oci/app'] });
});

afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Files without the hashes in their names, in order, and modules of Node. */
function loadedBy(command: string): { files: string[]; builtins: string[] } {
  const args = command.replaceAll('{R}', registry.host).replaceAll('{L}', LAYOUT).split(' ');
  const preload = ['--require', path.join(folder, 'report.cjs')];
  const { status, stderr } = spawnSync(process.execPath, [...preload, BIN, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
  });
  if (status !== 0) throw new Error(stderr);
  const report = JSON.parse(stderr.slice(stderr.lastIndexOf('\n'))) as {
    files: string[];
    builtins: string[];
  };
  const files = report.files.map((file) => file.replace(/(?:-[\w-]{8})?\.cjs$/, '')).toSorted();
  return { files, builtins: report.builtins };
}

const START = ['base', 'entry', 'manifest-tool', 'rolldown-runtime'];
const READS = [...START, 'core', 'connection'];
/** Over HTTP/1.1. */
const ASKS = ['early', 'http1', 'registry'];
const PUBLISHES = [...READS, ...ASKS, 'publish', 'difference', 'results'];

/** Modules of Node that take milliseconds, and that nothing here needs. */
const NEVER = [
  'http',
  'http2',
  'https',
  'assert',
  'child_process',
  'readline',
  'worker_threads',
  'zlib',
  'perf_hooks',
  'timers/promises',
];
/** What is needed for a layout, or for a registry by its name or in TLS, and not for one at an address in plain HTTP. */
const OTHERWISE = { layout: ['tls', 'dns'], registry: ['tls', 'dns', 'fs/promises'] };

const COMMANDS: readonly [string, readonly string[]][] = [
  ['--version', START],
  ['--help', [...START, 'help']],
  ['inspect --help', [...START, 'help']],
  ['inspect {L}', [...READS, 'inspect', 'layout']],
  ['inspect {R}/oci/app:linux-amd64', [...READS, ...ASKS, 'inspect']],
  ['query {R}/oci/app:linux-amd64', [...READS, ...ASKS, 'query']],
  [
    'push --type oci from-args --platforms linux/amd64 --template {R}/oci/app:OS-ARCH --target {R}/oci/app:out',
    [...PUBLISHES, 'push-from-args'],
  ],
  ['copy {R}/oci/app:linux-amd64 {R}/oci/app:copied', [...PUBLISHES, 'copy']],
];

describe('the start of', () => {
  it.each(COMMANDS)('%s loads what it needs and nothing else', (command, files) => {
    const loaded = loadedBy(command);
    expect(loaded.files).toEqual(files.toSorted());
    const kind = command.includes('{R}') ? 'registry' : 'layout';
    const unwanted = new Set([...NEVER, ...OTHERWISE[kind]]);
    expect(loaded.builtins.filter((name) => unwanted.has(name))).toEqual([]);
  });
});
