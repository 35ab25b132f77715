import { HUB_CREDENTIAL_KEY, HUB_HOST, hostAliases, isHubHost } from '../docker-hub.js';

/**
 * The names that a config may have for a host. Only Docker Hub has several: a credential goes to no
 * host without an entry of its own.
 */
export function hostNames(host: string): readonly string[] {
  return isHubHost(host) ? [HUB_CREDENTIAL_KEY, ...hostAliases(host)] : [host];
}

/** Whether two names are of one registry. */
export function isSameHost(a: string, b: string): boolean {
  return hostNames(a).includes(b);
}

/** The key that a credential helper is asked for. */
export function helperKey(host: string): string {
  return isHubHost(host) ? HUB_CREDENTIAL_KEY : host;
}

/** Podman's keys for parts of a registry, the longest first: `host/team/app`, `host/team`. */
export function namespaceKeys(host: string, repository: string): string[] {
  const name = isHubHost(host) ? HUB_HOST : host;
  const parts = repository.split('/').filter((part) => part !== '');
  return parts.map((_, dropped) => [name, ...parts.slice(0, parts.length - dropped)].join('/'));
}

/**
 * The host of a key as older versions of docker wrote it: `https://host/v1/`, `host/v2/`. No other
 * path is removed from a key without a scheme: `host/team` is podman's, and its credential is not
 * for the rest of that host.
 */
export function hostOfKey(key: string): string {
  const stripped = key.replace(/^https?:\/\//, '');
  if (stripped !== key) return stripped.split('/', 1)[0] ?? '';
  return key.replace(/\/(?:v[12]\/)?$/, '');
}
