import { suggestion } from '../text.js';
import type { SpecNode } from './node.js';

/** The members of a mapping by the names that are known; each of the others is a warning, and left out as manifest-tool does. */
export function knownMembers<N extends string>(
  node: SpecNode,
  names: readonly N[],
  warning: (text: string) => void,
): { [K in N]?: SpecNode } {
  const found: { [K in N]?: SpecNode } = {};
  for (const { key, name, value } of node.members()) {
    if ((names as readonly string[]).includes(name)) found[name as N] = value;
    else {
      warning(
        `${key.place()}: unknown key ${JSON.stringify(name)} is left out${suggestion(name, names)}`,
      );
    }
  }
  return found;
}
