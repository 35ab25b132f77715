import v8 from 'node:v8';

/** Versions of Node whose V8 knows the flag; V8 prints a warning for one that it does not know. */
const OLDEST = 20;
const NEWEST = 26;

let isTuned = false;

/**
 * Keeps V8 from optimising undici's WebAssembly parser, for which it would wait at exit
 * (docs/decisions/v8-flags.md). Call it when the code for requests has been loaded: earlier, V8
 * rejects Node's own code cache, which costs more than this saves. For the command line only: the
 * flag affects the whole process.
 */
export function tuneEngine(): void {
  const version = Number.parseInt(process.versions.node, 10);
  if (isTuned || version < OLDEST || version > NEWEST) return;
  isTuned = true;
  v8.setFlagsFromString('--wasm-tiering-budget=2000000000');
}
