/** The key that `docker login` writes for Docker Hub, and that helpers know it by. */
const HUB_KEY = 'https://index.docker.io/v1/';
/**
 * The hosts of Docker Hub, the one of references among them. No other registry has a second name.
 */
const HUB_HOSTS: readonly string[] = ['index.docker.io', 'docker.io', 'registry-1.docker.io'];

/**
 * The names that a config may have for a host. One name, but for Docker Hub: a credential goes to
 * no host without its own entry.
 */
export function hostNames(host: string): readonly string[] {
  return HUB_HOSTS.includes(host) ? [HUB_KEY, ...HUB_HOSTS] : [host];
}

/** What a credential helper is asked for. */
export function helperKey(host: string): string {
  return HUB_HOSTS.includes(host) ? HUB_KEY : host;
}

/** The keys of podman for parts of a registry, the longest first: `host/team/app`, `host/team`. */
export function namespaceKeys(host: string, repository: string): string[] {
  const name = HUB_HOSTS.includes(host) ? 'docker.io' : host;
  const parts = repository.split('/').filter((part) => part !== '');
  return parts.map((_, dropped) => [name, ...parts.slice(0, parts.length - dropped)].join('/'));
}

/**
 * The host of a key that older dockers wrote: `https://host/v1/`, `host/v2/`. Of a key without a
 * scheme no other path is dropped: `host/team` is podman's, and its credential is not for the rest
 * of that host.
 */
export function hostOfKey(key: string): string {
  const stripped = key.replace(/^https?:\/\//, '');
  if (stripped !== key) return stripped.split('/', 1)[0] ?? '';
  return key.replace(/\/(?:v[12]\/)?$/, '');
}
