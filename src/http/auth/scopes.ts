import type { Scope } from '../request.js';

/** Scopes of one repository become one, with all their actions; the order in which repositories came is kept. */
export function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const merged = new Map<string, Set<string>>();
  for (const { repository, actions } of scopes) {
    const known = merged.get(repository) ?? new Set();
    for (const action of actions) known.add(action);
    merged.set(repository, known);
  }
  return [...merged].map(([repository, actions]) => ({ repository, actions: [...actions].sort() }));
}

/** `repository:NAME:pull,push` (Docker Registry v2 token authentication, Scope). */
export function formatScope({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions.join(',')}`;
}

/** The scopes of a challenge that are of repositories; anything else (`*`, `registry:catalog:*`) is not what this program asks for. */
export function parseScopes(text: string): Scope[] {
  return text.split(' ').flatMap((item) => {
    const match = /^repository(?:\([a-z0-9]+\))?:(.+):([a-z*,]+)$/.exec(item);
    return match ? [{ repository: match[1]!, actions: match[2]!.split(',') }] : [];
  });
}

/** Whether `held` allows all that `needed` asks. */
export function coversScopes(held: readonly Scope[], needed: readonly Scope[]): boolean {
  return needed.every(({ repository, actions }) => {
    const have = held.find((scope) => scope.repository === repository)?.actions ?? [];
    return actions.every((action) => have.includes(action));
  });
}
