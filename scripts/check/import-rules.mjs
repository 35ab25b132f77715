/**
 * Checks the import rules of src: the direction `cli | library -> spec -> core -> registry | layout | archive
 * -> http`, with `oci` and the files beside the folders (`errors`, `text`, ...) as leaves; no
 * import cycles; no unused files; packages only in the parts that own them. Type imports count.
 * `--self-test` plants one violation of each kind and fails unless each is found.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Visitor, parseSync } from 'rolldown/utils';
import { ROOT } from '../project.mjs';

/** Files that nothing in src imports. */
const ENTRIES = ['src/cli/entry.ts', 'src/index.ts'];

/**
 * What each part of src may import beside itself: a folder, a file of the top level, or one file of
 * a folder.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const MAY_IMPORT = {
  attempts: [],
  clock: [],
  'docker-hub': [],
  concurrency: ['errors'],
  duration: [],
  errors: [],
  'read-file': [],
  'decoded-text': [],
  secrets: ['decoded-text'],
  settle: ['clock', 'concurrency', 'errors'],
  text: [],
  version: [],
  oci: ['attempts', 'concurrency', 'docker-hub', 'errors', 'text'],
  http: [
    'attempts',
    'clock',
    'concurrency',
    'docker-hub',
    'duration',
    'errors',
    'read-file',
    'text',
    'version',
    'oci/digest',
  ],
  credentials: ['docker-hub', 'errors', 'read-file', 'text', 'http/auth/credential'],
  registry: [
    'attempts',
    'clock',
    'concurrency',
    'docker-hub',
    'duration',
    'errors',
    'settle',
    'text',
    'version',
    'oci',
    'http',
  ],
  layout: ['attempts', 'clock', 'concurrency', 'errors', 'text', 'oci'],
  archive: ['attempts', 'concurrency', 'errors', 'oci', 'layout'],
  executables: ['concurrency', 'oci', 'archive'],
  core: [
    'clock',
    'concurrency',
    'duration',
    'errors',
    'settle',
    'text',
    'oci',
    'registry',
    'layout',
    'archive',
    'executables',
    'http/auth/credential',
  ],
  'check-registry': ['clock', 'concurrency', 'errors', 'text', 'oci', 'registry', 'core'],
  spec: ['errors', 'text', 'oci', 'core'],
  cli: [
    'clock',
    'concurrency',
    'duration',
    'errors',
    'read-file',
    'secrets',
    'text',
    'version',
    'oci',
    'http',
    'credentials',
    'registry',
    'layout',
    'core',
    'check-registry',
    'spec',
  ],
  library: ['errors', 'text', 'oci', 'http', 'credentials', 'core', 'check-registry', 'spec'],
  index: ['errors', 'version', 'oci', 'http', 'credentials', 'core', 'check-registry', 'library'],
};

/**
 * Packages that only some parts may import, so that no other part depends on them (types may be
 * used anywhere).
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const PACKAGES = {
  undici: ['http'],
  yargs: ['cli'],
  ora: ['cli'],
  yaml: ['spec'],
  tar: ['archive', 'registry'],
  zstddec: ['archive'],
};

/**
 * @typedef {object} Import
 * @property {unknown} specifier undefined if it is not written as a string
 * @property {number} line
 * @property {boolean} typeOnly
 */

/** `src/oci/digest.ts` -> `oci`, `src/errors.ts` -> `errors`. @param {string} file */
function partOf(file) {
  return (file.split('/')[1] ?? '').replace(/\.ts$/, '');
}

/**
 * All imports of a source: static, dynamic, re-exports and `import('x').T`.
 * @param {string} file
 * @param {string} source
 */
function importsOf(file, source) {
  const { program, errors } = parseSync(file, source);
  if (errors[0] !== undefined) throw new Error(`${file}: ${errors[0].message}`);
  /** @type {Import[]} */
  const found = [];
  /** @param {{ start: number }} node @param {object | null} specifier @param {boolean} typeOnly */
  const add = ({ start }, specifier, typeOnly) => {
    const line = source.slice(0, start).split('\n').length;
    const value = specifier !== null && 'value' in specifier ? specifier.value : undefined;
    found.push({ specifier: value, line, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source, node.importKind === 'type'),
    ExportNamedDeclaration: (node) =>
      node.source && add(node, node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node, node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node, node.source, false),
    TSImportType: (node) => add(node, node.source, true),
    TSImportEqualsDeclaration: ({ moduleReference, ...node }) =>
      'expression' in moduleReference && add(node, moduleReference.expression, false),
  }).visit(program);
  return found;
}

/**
 * All violations of a tree of sources, each as `file:line: what`.
 * @param {ReadonlyMap<string, string>} sources the source of each file
 */
function violations(sources) {
  /** @type {string[]} */
  const found = [];
  /** @type {Map<string, readonly string[]>} */
  const graph = new Map();
  for (const [file, source] of sources) {
    /** @type {string[]} */
    const edges = [];
    for (const { specifier, line, typeOnly } of importsOf(file, source)) {
      /** @param {string} what */
      const report = (what) => found.push(`${file}:${line}: ${what}`);
      if (typeof specifier !== 'string') report('an import with a computed path cannot be checked');
      else if (specifier.startsWith('.')) {
        const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
        if (!sources.has(target)) report(`imports ${specifier}, which is not a file of src`);
        else {
          edges.push(target);
          if (!allowed(file, target)) report(`${partOf(file)} must not import ${target}`);
        }
      } else if (!typeOnly) {
        const owners = PACKAGES[specifier.split('/')[0] ?? ''];
        if (owners !== undefined && !isOneOf(file, owners))
          report(`only ${owners.join(', ')} may import ${specifier}`);
        if (specifier === 'undici')
          report('undici is imported by its deep paths: its index is slow to load');
      }
    }
    graph.set(file, edges);
  }
  return [...found, ...cycles(graph), ...unreachable(graph)];
}

/** @param {string} from @param {string} to */
function allowed(from, to) {
  const part = partOf(from);
  const targets = MAY_IMPORT[part] ?? [];
  return (part === partOf(to) && from !== to) || isOneOf(to, targets);
}

/**
 * Whether a file is one of the named files (`oci/digest`) or in one of the named folders (`oci`).
 * @param {string} file
 * @param {readonly string[]} names
 */
function isOneOf(file, names) {
  const name = file.replace(/^src\//, '').replace(/\.ts$/, '');
  return names.some((one) => name === one || name.startsWith(`${one}/`));
}

/** @param {ReadonlyMap<string, readonly string[]>} graph */
function cycles(graph) {
  /** @type {string[]} */
  const found = [];
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string} file @param {readonly string[]} trail */
  const visit = (file, trail) => {
    const start = trail.indexOf(file);
    if (start !== -1)
      found.push(`${file}:1: import cycle: ${[...trail.slice(start), file].join(' -> ')}`);
    if (start !== -1 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** @param {ReadonlyMap<string, readonly string[]>} graph */
function unreachable(graph) {
  const reached = new Set(ENTRIES);
  for (const file of reached) for (const next of graph.get(file) ?? []) reached.add(next);
  const missing = ENTRIES.filter((file) => !graph.has(file)).map((file) => `${file}:1: is missing`);
  const dead = [...graph.keys()].filter((file) => !reached.has(file));
  return [...missing, ...dead.map((file) => `${file}:1: nothing imports it`)];
}

function readSources() {
  const files = readdirSync(path.join(ROOT, 'src'), { encoding: 'utf8', recursive: true })
    .map((file) => path.posix.join('src', file.replaceAll('\\', '/')))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .toSorted();
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
}

/**
 * A tree without a violation.
 * @type {Readonly<Record<string, string>>}
 */
const SOUND = {
  'src/errors.ts': '',
  'src/oci/digest.ts': "import '../errors.js';",
  'src/oci/platform.ts': '',
  'src/http/auth/credential.ts': '',
  'src/http/client.ts':
    "import Agent from 'undici/lib/dispatcher/agent.js'; import '../oci/digest.js';",
  'src/credentials/store.ts': "import type { C } from '../http/auth/credential.js';",
  'src/registry/registries.ts': "import '../http/client.js'; import type { Agent } from 'undici';",
  'src/layout/layout.ts': "import '../oci/platform.js';",
  'src/core/push.ts': "import '../registry/registries.js'; export * from '../layout/layout.js';",
  'src/cli/main.ts':
    "import '../credentials/store.js'; const core = await import('../core/push.js');",
  'src/cli/entry.ts': "import './main.js';",
  'src/index.ts': "export { push } from './core/push.js';",
};
/**
 * Additions to it that each cause exactly the violations that follow.
 * @type {readonly (readonly [file: string, addition: string, ...violations: string[]])[]}
 */
const PLANTED = [
  ['src/errors.ts', "import './oci/platform.js';", 'errors must not import src/oci/platform.ts'],
  ['src/oci/platform.ts', "import '../http/auth/credential.js';", 'oci must not import'],
  ['src/http/client.ts', "import type { P } from '../oci/platform.js';", 'http must not import'],
  ['src/credentials/store.ts', "export * from '../http/client.js';", 'credentials must not import'],
  [
    'src/registry/registries.ts',
    "\nawait import('../layout/layout.js');",
    'src/registry/registries.ts:2: registry',
  ],
  [
    'src/layout/layout.ts',
    "type T = import('../http/auth/credential.js').C;",
    'layout must not import',
  ],
  ['src/core/push.ts', "import '../credentials/store.js';", 'core must not import'],
  [
    'src/core/push.ts',
    "import '../index.js';",
    'core must not import src/index.ts',
    'import cycle',
  ],
  ['src/oci/digest.ts', "import './digest.js';", 'oci must not import', 'import cycle'],
  ['src/cli/main.ts', "import './entry.js';", 'import cycle: src/cli/main.ts -> src/cli/entry.ts'],
  ['src/oci/dead.ts', '', 'src/oci/dead.ts:1: nothing imports it'],
  ['src/cli/main.ts', "import './gone.js';", 'not a file of src'],
  ['src/cli/main.ts', "const name = ''; await import(name);", 'cannot be checked'],
  ['src/core/push.ts', "import yargs from 'yargs';", 'only cli may import yargs'],
  ['src/http/client.ts', "import { request } from 'undici';", 'imported by its deep paths'],
];

function selfTest() {
  const failures = violations(new Map(Object.entries(SOUND)));
  for (const [file, addition, ...wanted] of PLANTED) {
    const tree = new Map(Object.entries(SOUND));
    const found = violations(tree.set(file, `${tree.get(file) ?? ''}${addition}`));
    const right =
      found.length === wanted.length && wanted.every((text, at) => found[at]?.includes(text));
    if (!right) failures.push(`planted in ${file}: ${addition.trim()} gave [${found.join('; ')}]`);
  }
  return {
    failures,
    summary: `import rules, self-test: ${PLANTED.length} planted violations found`,
  };
}

function check() {
  const sources = readSources();
  return { failures: violations(sources), summary: `import rules: ${sources.size} files, ok` };
}

const { failures, summary } = process.argv.includes('--self-test') ? selfTest() : check();
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
else console.log(summary);
