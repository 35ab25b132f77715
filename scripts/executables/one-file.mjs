/**
 * Joins the chunks of dist/cli into one CommonJS script, because a single executable contains one
 * script. Each chunk is kept unchanged, in a function that runs when the chunk is first required,
 * so the executable runs the code of the npm package and loads a command on demand. A bundle
 * without chunks would load all of node's modules at start-up, which is slower.
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { byText } from '../supply-chain/packages.mjs';

/** @param {string} folder the one of entry.cjs and of everything that it requires */
export function oneFile(folder) {
  const all = new Map(
    readdirSync(folder).map((name) => [`./${name}`, readFileSync(path.join(folder, name), 'utf8')]),
  );
  /** @param {RegExp} pattern */
  const needed = (pattern) => reachable(all, pattern);
  // Not the library, which is in the same folder.
  const chunks = [...all]
    .filter(([name]) => needed(REQUIRES).has(name))
    .toSorted(([a], [b]) => byText(a, b));
  const eager = needed(REQUIRES_AT_ONCE);
  const parts = chunks.map(([name, text]) => {
    const body = `function(exports,require,module,__filename){${text}\n}`;
    // V8 compiles a function in parentheses at once, so that it gets into the code cache.
    return `${JSON.stringify(name)}:${eager.has(name) ? `(${body})` : body}`;
  });
  return `'use strict';
const chunks={__proto__:null,
${parts.join(',\n')}
};
const loaded={__proto__:null};
function load(name){
if(!(name in chunks))return require(name);
if(!(name in loaded)){const module=loaded[name]={exports:{}};chunks[name](module.exports,load,module,__filename)}
return loaded[name].exports
}
load('./entry.cjs');
`;
}

const REQUIRES = /\brequire\("(\.\/[^"]+)"\)/g;
/** Matches a static `require` at the top of a chunk, but not the loading of a command. */
const REQUIRES_AT_ONCE = /\w=require\("(\.\/[^"]+)"\)/g;

/**
 * The entry and all chunks that it requires, directly or indirectly, through statements that a
 * pattern matches.
 * @param {ReadonlyMap<string, string>} chunks
 * @param {RegExp} pattern
 */
function reachable(chunks, pattern) {
  const found = new Set(['./entry.cjs']);
  for (const name of found)
    for (const [, other = ''] of chunks.get(name)?.matchAll(pattern) ?? [])
      if (chunks.has(other)) found.add(other);
  return found;
}
