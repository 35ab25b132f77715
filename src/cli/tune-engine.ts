import v8 from 'node:v8';

/**
 * Versions of Node whose V8 knows these flags; V8 prints a warning for one that it does not know.
 */
const OLDEST = 20;
const NEWEST = 26;

let isTuned = false;

/**
 * Settings of V8 for a process that sends requests and ends. To be called when the code for it is
 * loaded: earlier, Node's own cached code would be of no use any more, which costs more than this
 * saves. A library has no business with them.
 */
export function tuneEngine(): void {
  const version = Number.parseInt(process.versions.node, 10);
  if (isTuned || version < OLDEST || version > NEWEST) return;
  isTuned = true;
  // Garbage of requests is young: room for more of it between collections would only be more memory
  // (20 to 40 MiB at a thousand images).
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  // What is collected before it has to be is a third of the collections of a short command.
  v8.setFlagsFromString('--no-minor-gc-task');
  // V8 waits at exit for its optimiser to finish with undici's parser (100 ms). The parser is fast
  // enough without it.
  v8.setFlagsFromString('--wasm-tiering-budget=2000000000');
  // The last optimiser of newer ones takes 15 MiB for code that is done before it would be faster.
  if (version > OLDEST) v8.setFlagsFromString('--max-optimized-bytecode-size=0');
}
