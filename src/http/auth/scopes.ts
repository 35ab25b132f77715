import type { HttpRequest, Scope } from '../request.js';

/**
 * Merges the scopes of each repository into one with all their actions; keeps the order of
 * repositories.
 */
export function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const merged = new Map<string, Set<string>>();
  for (const { repository, actions } of scopes) {
    const known = merged.get(repository) ?? new Set();
    for (const action of actions) known.add(action);
    merged.set(repository, known);
  }
  return [...merged].map(([repository, actions]) => ({ repository, actions: [...actions].sort() }));
}

/**
 * The form of a scope in requests: `repository:NAME:pull,push` (Docker Registry v2 token
 * authentication).
 */
export function formatScope({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions.join(',')}`;
}

/** Scopes in one string, separated by spaces. */
export function formatScopes(scopes: readonly Scope[] = []): string {
  return scopes.map(formatScope).join(' ');
}

/**
 * What a request needs by its path, `/v2/NAME/manifests/…`: at a registry that another one has
 * redirected to, the repository may have another name. Empty for other paths.
 */
export function scopesOfPath({ method, url }: HttpRequest): Scope[] {
  const name = /^\/v2\/(.+)\/(?:manifests|blobs|tags|referrers)\//.exec(url.pathname)?.[1];
  if (name === undefined) return [];
  const isRead = method === 'GET' || method === 'HEAD';
  return [{ repository: name, actions: isRead ? ['pull'] : ['pull', 'push'] }];
}

/**
 * The repository scopes of a challenge; others (`*`, `registry:catalog:*`) are never requested
 * here.
 */
export function parseScopes(text: string): Scope[] {
  return text.split(' ').flatMap((item) => {
    const match = /^repository(?:\([a-z0-9]+\))?:(.+):([a-z*,]+)$/.exec(item);
    return match ? [{ repository: match[1]!, actions: match[2]!.split(',') }] : [];
  });
}

/** Whether `held` includes every action of `needed`. */
export function coversScopes(held: readonly Scope[], needed: readonly Scope[]): boolean {
  return needed.every(({ repository, actions }) => {
    const have = held.find((scope) => scope.repository === repository)?.actions ?? [];
    return actions.every((action) => have.includes(action));
  });
}
