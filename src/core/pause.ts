import { ManifestToolError } from '../errors.js';

/**
 * Waits; `milliseconds` from now.
 * @throws {ManifestToolError} INTERRUPTED where the signal comes first.
 */
export async function pause(
  what: string,
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { setTimeout } = process.getBuiltinModule('node:timers/promises');
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    throw new ManifestToolError('INTERRUPTED', what, 'it was interrupted', { cause: error });
  }
}
