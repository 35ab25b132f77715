/** How large a manifest may be, in bytes. */
export interface ManifestLimit {
  /** The largest that was taken. */
  readonly accepted: number;
  /** The smallest that was refused, and in which words; undefined where none was. */
  readonly refused: { readonly size: number; readonly words: string } | undefined;
}

/** Nothing larger is tried. */
const MOST = 8 * 1024 * 1024;
/** The limit is found to so many bytes; where it is a power of two, exactly. */
const PRECISION = 1024;

/**
 * Looks for the size from which on manifests are refused, in few requests: the largest size first, then half of what was refused until one
 * is taken, then whether the limit is that very size (as it mostly is), and only then between the two.
 * @param least a size that is known to be taken.
 * @param refusal tries a size; undefined where it is taken, otherwise the words in which it is refused.
 */
export async function findLimit(
  least: number,
  refusal: (size: number) => Promise<string | undefined>,
): Promise<ManifestLimit> {
  const found: { accepted: number; refused: ManifestLimit['refused'] } = {
    accepted: least,
    refused: undefined,
  };
  const tryOne = async (size: number): Promise<boolean> => {
    const words = await refusal(size);
    if (words === undefined) found.accepted = size;
    else found.refused = { size, words };
    return words === undefined;
  };
  for (let size = MOST; size > least; size /= 2) {
    if (!(await tryOne(size))) continue;
    if (size < MOST) await tryOne(size + 1);
    break;
  }
  while (found.refused !== undefined && found.refused.size - found.accepted > PRECISION) {
    await tryOne(Math.floor((found.accepted + found.refused.size) / 2));
  }
  return found;
}
