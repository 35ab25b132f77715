/**
 * Holds the import arrows of the architecture: `cli -> spec -> core -> registry | layout -> http`, with `oci`
 * and the files beside the folders (`errors`, `text`, `version`) as leaves. Also: no import cycle, and no file that
 * nothing imports. Type imports count like any other.
 * `--self-test` plants one violation of each kind and fails unless each is found.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { Visitor, parseSync } from 'rolldown/utils';
import { ROOT } from '../project.mjs';

const ENTRIES = ['src/cli/entry.ts', 'src/index.ts'];

/** What each part of src may import beside itself: a folder, a file of the top level, or one file of a folder. */
const ARROWS = {
  attempts: [],
  clock: [],
  'docker-hub': [],
  concurrency: ['errors'],
  duration: [],
  errors: [],
  secrets: [],
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
    'text',
    'version',
    'oci/digest',
  ],
  credentials: ['docker-hub', 'errors', 'text', 'http/auth/credential'],
  registry: [
    'attempts',
    'clock',
    'concurrency',
    'docker-hub',
    'duration',
    'errors',
    'text',
    'version',
    'oci',
    'http',
  ],
  layout: ['attempts', 'clock', 'concurrency', 'errors', 'text', 'oci'],
  core: [
    'clock',
    'concurrency',
    'errors',
    'text',
    'oci',
    'registry',
    'layout',
    'http/auth/credential',
  ],
  'check-registry': ['clock', 'concurrency', 'errors', 'text', 'oci', 'registry', 'core'],
  spec: ['errors', 'text', 'oci', 'core'],
  cli: [
    'clock',
    'concurrency',
    'duration',
    'errors',
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
  index: [
    'duration',
    'errors',
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
};

/** Packages that only some parts may import, so that no other part comes to depend on them (types may be used anywhere). */
const PACKAGES = {
  undici: ['http'],
  yargs: ['cli'],
  ora: ['cli'],
  yaml: ['spec'],
};

/** `src/oci/digest.ts` -> `oci`, `src/errors.ts` -> `errors`. */
function partOf(file) {
  return file.split('/')[1].replace(/\.ts$/, '');
}

/** All imports of a source text, static, dynamic, re-exports and `import('x').T`, with the line of each. */
function importsOf(file, source) {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  const found = [];
  const add = (node, specifier, typeOnly) => {
    const line = source.slice(0, node.start).split('\n').length;
    found.push({ specifier: specifier?.value, line, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node, node.source, node.importKind === 'type'),
    ExportNamedDeclaration: (node) =>
      node.source && add(node, node.source, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node, node.source, node.exportKind === 'type'),
    ImportExpression: (node) => add(node, node.source, false),
    TSImportType: (node) => add(node, node.source, true),
    TSImportEqualsDeclaration: (node) => add(node, node.moduleReference.expression, false),
  }).visit(program);
  return found;
}

/** All violations of a tree of sources (path -> text), each as `file:line: what`. */
export function violations(sources) {
  const found = [];
  const graph = new Map();
  for (const [file, source] of sources) {
    const edges = [];
    for (const { specifier, line, typeOnly } of importsOf(file, source)) {
      const report = (what) => found.push(`${file}:${line}: ${what}`);
      if (typeof specifier !== 'string')
        report('an import whose path is computed cannot be checked');
      else if (specifier.startsWith('.')) {
        const target = path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts');
        if (!sources.has(target)) report(`imports ${specifier}, which is no file of src`);
        else {
          edges.push(target);
          if (!allowed(file, target)) report(`${partOf(file)} must not import ${target}`);
        }
      } else if (!typeOnly) {
        const owners = PACKAGES[specifier.split('/')[0]];
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

function allowed(from, to) {
  const part = partOf(from);
  const targets = ARROWS[part] ?? [];
  return (part === partOf(to) && from !== to) || isOneOf(to, targets);
}

/** Whether a file is one of the named files (`oci/digest`) or in one of the named folders (`oci`). */
function isOneOf(file, names) {
  const name = file.replace(/^src\//, '').replace(/\.ts$/, '');
  return names.some((one) => name === one || name.startsWith(`${one}/`));
}

function cycles(graph) {
  const found = [];
  const done = new Set();
  const visit = (file, trail) => {
    const start = trail.indexOf(file);
    if (start !== -1)
      found.push(`${file}:1: import cycle: ${[...trail.slice(start), file].join(' -> ')}`);
    if (start !== -1 || done.has(file)) return;
    for (const next of graph.get(file)) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

function unreachable(graph) {
  const reached = new Set(ENTRIES);
  for (const file of reached) for (const next of graph.get(file) ?? []) reached.add(next);
  const missing = ENTRIES.filter((file) => !graph.has(file)).map((file) => `${file}:1: is missing`);
  const dead = [...graph.keys()].filter((file) => !reached.has(file));
  return [...missing, ...dead.map((file) => `${file}:1: nothing imports it`)];
}

function readSources() {
  const files = readdirSync(path.join(ROOT, 'src'), { recursive: true })
    .map((file) => path.posix.join('src', file.replaceAll('\\', '/')))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .toSorted();
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]));
}

/** A tree without a violation, and changes to it that each add exactly one. */
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
  ['src/cli/main.ts', "import './gone.js';", 'no file of src'],
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
      found.length === wanted.length && wanted.every((text, at) => found[at].includes(text));
    if (!right) failures.push(`planted in ${file}: ${addition.trim()} gave [${found.join('; ')}]`);
  }
  return { failures, summary: `arrows self-test: ${PLANTED.length} planted violations found` };
}

function check() {
  const sources = readSources();
  return { failures: violations(sources), summary: `arrows: ${sources.size} files, ok` };
}

const { failures, summary } = process.argv.includes('--self-test') ? selfTest() : check();
for (const failure of failures) console.error(failure);
if (failures.length > 0) process.exitCode = 1;
else console.log(summary);
