import v8 from 'node:v8';

/** Versions of Node whose V8 knows the flag; V8 prints a warning for one that it does not know. */
const OLDEST = 20;
const NEWEST = 26;

let isTuned = false;

/**
 * Sets V8 flags for a process that sends requests and ends (docs/decisions/v8-flags.md). Call it
 * when the code for requests has been loaded: earlier, V8 rejects Node's own code cache, which costs
 * more than this saves. For the command line only: the flags affect the whole process.
 */
export function tuneEngine(): void {
  const version = Number.parseInt(process.versions.node, 10);
  if (isTuned || version < OLDEST || version > NEWEST) return;
  isTuned = true;
  // V8 waits at exit for its optimiser to finish with undici's parser (40 to 100 ms). The parser is
  // fast enough without it.
  v8.setFlagsFromString('--wasm-tiering-budget=2000000000');
  // Objects of requests die young: a growing young generation would only use more memory (20 to 40
  // MiB for a thousand images).
  v8.setFlagsFromString('--semi-space-growth-factor=1');
  // The optimising compiler takes 15 MiB for code that ends before it would become faster.
  if (version > OLDEST) v8.setFlagsFromString('--max-optimized-bytecode-size=0');
}
