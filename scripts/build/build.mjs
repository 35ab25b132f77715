/**
 * Builds dist/. rolldown bundles the command line into CommonJS chunks (dist/cli), whose form start-up time decides:
 * docs/decisions/bundle.md. The library (dist/lib) is the compiler's output, one ES module for each source, with source maps;
 * its types are one file.
 */
import { cpSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { compile, makeTypes } from './api.mjs';
import { commitOf } from './commit.mjs';
import { isMain, messageOf, ROOT } from '../project.mjs';

const SHIMS = path.join(ROOT, 'scripts', 'build', 'shims');
const CLI = path.join(ROOT, 'dist', 'cli');
const LIB = path.join(ROOT, 'dist', 'lib');

/**
 * Upper bound of the code read at every start, in kB. If it is exceeded, something is no longer
 * loaded lazily.
 */
const MAX_ENTRY_KB = 150;

/** Parts of undici that must not be bundled, because they import too much. */
const UNWANTED = /[\\/]undici[\\/](?:index|lib[\\/](?:web|cache|mock|interceptor))\b/;

/**
 * Replacements of modules that undici imports and the program does not use: the end of the import,
 * and a file of shims/.
 * @type {readonly (readonly [end: string, shim: string])[]}
 */
const UNDICI_SHIMS = [
  ['/web/fetch/body.js', 'undici-fetch-body.mjs'],
  ['node:assert', 'undici-assert.cjs'],
  ['node:http', 'undici-http.cjs'],
  ['./client-h2.js', 'undici-client-h2.cjs'],
  ['/llhttp-wasm.js', 'undici-llhttp.cjs'],
];

/** Modules in separate files, which the shims of the same name load on demand. */
const LAZY = ['string-width', 'llhttp'];

/**
 * Modules that are needed together and go into one chunk: finding and opening a file takes longer
 * than reading it. The first group that matches counts; all other modules are split by their
 * importers.
 * @type {readonly (readonly [name: string, test: RegExp])[]}
 */
const GROUPS = [
  [
    'base',
    /[\\/]src[\\/](?:clock|decoded-text|errors|text|duration|secrets|version|cli[\\/]output[\\/]columns)\.ts$|[\\/]shims[\\/]string-width\.mjs$/,
  ],
  // Loaded only to compare programs; archives need the format of tar files as well.
  [
    'tar',
    /[\\/]src[\\/]archive[\\/](?:compression|tar-format)\.ts$|[\\/]node_modules[\\/]tar[\\/]/,
  ],
  [
    'executables',
    /[\\/]src[\\/](?:executables[\\/]|archive[\\/]tar-reader|core[\\/]read[\\/]examine-executables)/,
  ],
  [
    'core',
    /[\\/]src[\\/](?:docker-hub|oci|credentials|core[\\/]read|attempts|concurrency|read-file|settle|core[\\/][a-z-]+\.ts$)/,
  ],
  // Loaded before the rest of http and registry, so that its connection opens in the meantime.
  [
    'early',
    /[\\/]src[\\/](?:registry[\\/]early|http[\\/](?:url|connect[\\/](?:lookup|proxy-for|warm-up)))\.ts$/,
  ],
  // Not needed for HTTP/2, except for a few files of undici's core.
  [
    'http1',
    /[\\/]node_modules[\\/]undici[\\/]lib[\\/](?!core[\\/](?:connect|constants|errors|symbols|tree|util)\.js|util[\\/]timers\.js)|[\\/]shims[\\/]undici-(?:client-h2|fetch-body|llhttp)|[\\/]connect[\\/]http1-client\.ts$/,
  ],
  [
    'registry',
    /[\\/](?:node_modules|shims)[\\/]undici|[\\/]src[\\/](?:http|registry(?![\\/](?:raw|tag-deletion|test-image)))[\\/]/,
  ],
  ['publish', /[\\/]src[\\/]core[\\/]publish[\\/]/],
  ['layout', /[\\/]src[\\/]layout[\\/]/],
  [
    'connection',
    /[\\/]src[\\/]cli[\\/](?:options[\\/](?:connection|platforms)|output[\\/](?:entry|json)|progress[\\/]live|tune-engine)\.ts$/,
  ],
  ['difference', /[\\/]src[\\/]cli[\\/]output[\\/]diff\.ts$/],
  [
    'results',
    /[\\/]src[\\/]cli[\\/](?:output[\\/](?:result|files)|options[\\/](?:publishing|source-tags|targets)|commands[\\/]publishing)/,
  ],
];

/** @type {import('rolldown').Plugin} */
const shims = {
  name: 'shims',
  resolveId(source, importer = '') {
    const from = importer.replaceAll('\\', '/');
    if (LAZY.some((name) => source === `./${name}.cjs`)) return { id: source, external: true };
    if (source === 'string-width') return path.join(SHIMS, 'string-width.mjs');
    if (source === 'assert' && from.includes('/node_modules/yargs/'))
      return path.join(SHIMS, 'assert.mjs');
    if (!from.includes('/node_modules/undici/')) return null;
    const shim = UNDICI_SHIMS.find(([end]) => source.endsWith(end));
    return shim === undefined ? null : path.join(SHIMS, shim[1]);
  },
};

/** @type {import('rolldown').InputOptions} */
const COMMON = {
  cwd: ROOT,
  platform: 'node',
  onLog(level, log) {
    if (level === 'warn') throw new Error(`rolldown: ${log.message}`);
  },
};

/** @type {import('rolldown').OutputOptions} */
const OUTPUT = {
  dir: CLI,
  format: 'cjs',
  exports: 'named',
  minify: true,
  comments: false,
  // import() does not work in a single executable with a code cache.
  dynamicImportInCjs: false,
  entryFileNames: '[name].cjs',
  chunkFileNames: '[name]-[hash].cjs',
};

/**
 * Bundles the command line.
 * @param {{ write: boolean }} options whether dist/cli is written
 * @returns {Promise<import('rolldown').OutputChunk[]>} rolldown's chunks, the files of their own last
 */
export async function bundle({ write }) {
  const entry = await emit(
    {
      ...COMMON,
      input: { entry: path.join(ROOT, 'src', 'cli', 'entry.ts') },
      plugins: [shims],
      // Only yargs' parser is used.
      treeshake: { moduleSideEffects: (id) => !/[\\/]node_modules[\\/]yargs[\\/]/.test(id) },
      // The groups need this: chunks of the entry points may export names that other chunks import.
      preserveEntrySignatures: 'allow-extension',
      transform: {
        target: 'node20.18',
        // yargs needs import.meta.resolve for configuration files that extend others, which are not used here.
        define: {
          'import.meta.url': '__moduleUrl',
          'import.meta.resolve': 'undefined',
          MANIFEST_TOOL_COMMIT: JSON.stringify(commitOf(ROOT) ?? ''),
        },
      },
    },
    {
      ...OUTPUT,
      intro: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;",
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: GROUPS.map(([name, test], i) => ({ name, test, priority: GROUPS.length - i })),
      },
    },
    write,
  );
  const lazy = await emit(
    {
      ...COMMON,
      input: { 'string-width': 'string-width', llhttp: 'undici/lib/llhttp/llhttp-wasm.js' },
      transform: { target: 'node20.18' },
    },
    OUTPUT,
    write,
  );
  const chunks = [...entry, ...lazy];
  const unwanted = moduleIds(chunks).filter((id) => UNWANTED.test(id));
  if (unwanted.length > 0) throw new Error(`not wanted in the bundle: ${unwanted.join(', ')}`);
  return chunks;
}

/**
 * @param {import('rolldown').InputOptions} input
 * @param {import('rolldown').OutputOptions} output
 * @param {boolean} write
 */
async function emit(input, output, write) {
  const build = await rolldown(input);
  try {
    const result = write ? await build.write(output) : await build.generate(output);
    return result.output.filter((item) => item.type === 'chunk');
  } finally {
    await build.close();
  }
}

/**
 * Absolute paths of all modules that have code in the chunks.
 * @param {readonly import('rolldown').OutputChunk[]} chunks
 */
export function moduleIds(chunks) {
  return [...new Set(chunks.flatMap((chunk) => chunk.moduleIds))].filter((id) =>
    path.isAbsolute(id),
  );
}

async function buildChunks() {
  const chunks = await bundle({ write: true });
  /** @param {readonly string[]} names */
  const kB = (names) =>
    names.reduce((sum, name) => sum + statSync(path.join(CLI, name)).size, 0) / 1000;
  // Static imports of the entry point are read at every start too.
  const atStart = new Set(['entry.cjs']);
  for (const name of atStart)
    for (const other of chunks.find((chunk) => chunk.fileName === name)?.imports ?? [])
      if (chunks.some((chunk) => chunk.fileName === other)) atStart.add(other);
  const entry = kB([...atStart]);
  const all = readdirSync(CLI);
  console.log(
    `dist/cli: ${all.length} chunks, ${kB(all).toFixed(0)} kB, of which ${entry.toFixed(0)} kB in ${atStart.size} at start`,
  );
  if (entry > MAX_ENTRY_KB)
    throw new Error(`the entry is larger than ${MAX_ENTRY_KB} kB: what is no longer lazy?`);
  const cycle = staticCycle(chunks);
  if (cycle !== undefined)
    throw new Error(`chunks import each other, one of them unfinished: ${cycle}`);
}

/**
 * A cycle of static imports: in CommonJS, one of the chunks would get an empty module.
 * @param {readonly import('rolldown').OutputChunk[]} chunks
 * @returns {string | undefined}
 */
function staticCycle(chunks) {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string} name @param {readonly string[]} trail @returns {string | undefined} */
  const visit = (name, trail) => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name].join(' -> ');
    if (done.has(name)) return undefined;
    done.add(name);
    for (const next of byName.get(name)?.imports ?? []) {
      const found = visit(next, [...trail, name]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return chunks.map(({ fileName }) => visit(fileName, [])).find((found) => found !== undefined);
}

/**
 * Compiles the library. Its CommonJS entry loads the same modules, so that a process which uses both has one of each class;
 * Node 20.19 and newer can `require` them.
 */
function buildLibrary() {
  compile([
    '--emitDeclarationOnly',
    'false',
    '--declaration',
    'false',
    '--sourceMap',
    '--inlineSources',
    '--outDir',
    LIB,
  ]);
  writeFileSync(path.join(LIB, 'index.cjs'), "module.exports = require('./index.js');\n");
  const types = path.join(LIB, 'index.d.ts');
  if (!makeTypes(types, 'check')) console.log('docs/api is stale: run make api');
  cpSync(types, path.join(LIB, 'index.d.cts'));
  const modules = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  console.log(`dist/lib: ${modules.length} modules with types`);
}

/** Rebuilds everything in dist/ except the executables of `make binary`. */
export async function buildAll() {
  for (const folder of [CLI, LIB]) rmSync(folder, { recursive: true, force: true });
  await buildChunks();
  buildLibrary();
}

if (isMain(import.meta.url)) {
  try {
    await buildAll();
  } catch (error) {
    console.error(`build failed: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}
