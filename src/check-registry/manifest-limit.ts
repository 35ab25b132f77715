/** How large a manifest may be, in bytes. */
export interface ManifestLimit {
  /** The largest size that was accepted. */
  readonly accepted: number;
  /** The smallest size that was refused, with the answer; undefined if none was refused. */
  readonly refused: { readonly size: number; readonly words: string } | undefined;
}

/** Larger manifests are not tried. */
const MAX_SIZE = 8 * 1024 * 1024;
/** The limit is found to this many bytes, and exactly if it is a power of two. */
const PRECISION = 1024;

/**
 * Finds the size from which manifests are refused, in few requests: tries the largest size, halves
 * it until it is accepted, tries whether that very size is the limit (it mostly is), and bisects
 * only then.
 * @param least a size that is known to be accepted
 * @param tryManifest tries a size; resolves with the answer of a refusal, or undefined
 */
export async function findLimit(
  least: number,
  tryManifest: (size: number) => Promise<string | undefined>,
): Promise<ManifestLimit> {
  const found: { accepted: number; refused: ManifestLimit['refused'] } = {
    accepted: least,
    refused: undefined,
  };
  const isAccepted = async (size: number): Promise<boolean> => {
    const words = await tryManifest(size);
    if (words === undefined) found.accepted = size;
    else found.refused = { size, words };
    return words === undefined;
  };
  for (let size = MAX_SIZE; size > least; size /= 2) {
    if (!(await isAccepted(size))) continue;
    if (size < MAX_SIZE) await isAccepted(size + 1);
    break;
  }
  while (found.refused !== undefined && found.refused.size - found.accepted > PRECISION) {
    await isAccepted(Math.floor((found.accepted + found.refused.size) / 2));
  }
  return found;
}
