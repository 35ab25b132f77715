import v8 from 'node:v8';

/**
 * V8 of Node 20 waits at the end of a process for the optimiser to finish with undici's parser (100 ms), and the parser is fast enough
 * without it. For the whole process, so it is for a command line alone. To be called when undici is loaded: earlier it would cost more.
 */
export function quickExit(): void {
  if (process.versions.node.startsWith('20.')) {
    v8.setFlagsFromString('--wasm-tiering-budget=2000000000');
  }
}
