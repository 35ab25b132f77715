/**
 * Joins the chunks of dist/cli into one CommonJS script, which is what a single executable can hold. They stay as they
 * are, each in a function that runs when it is first required: the executable runs the code that npm serves, and loads
 * a command when it is needed. (A bundle without chunks loads all of node's modules at start, which is slower.)
 */
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { byText } from '../supply-chain/packages.mjs';

/** `folder` holds entry.cjs and all that it requires. */
export function oneFile(folder) {
  const all = new Map(
    readdirSync(folder).map((name) => [`./${name}`, readFileSync(path.join(folder, name), 'utf8')]),
  );
  const needed = (pattern) => reachable(all, pattern);
  // The library is in the same folder.
  const chunks = [...needed(REQUIRES)].toSorted(byText).map((name) => [name, all.get(name)]);
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
/** Into a variable, and not where a command is loaded. */
const REQUIRES_AT_ONCE = /\w=require\("(\.\/[^"]+)"\)/g;

/** The entry, and the chunks that it or one of those requires in that way. */
function reachable(chunks, pattern) {
  const found = new Set(['./entry.cjs']);
  for (const name of found)
    for (const [, other] of chunks.get(name).matchAll(pattern))
      if (chunks.has(other)) found.add(other);
  return found;
}
