/*
 * The names of Docker Hub, the only registry whose name in references differs from its API host
 * (docker/distribution reference, docker/cli configfile).
 */

/** The host in references; `docker.io/library/traefik`. */
export const HUB_HOST = 'docker.io';

/** The namespace of images whose name is a single word. */
export const HUB_NAMESPACE = 'library';

/** The host that serves the API. */
const HUB_API_HOST = 'registry-1.docker.io';

/** The key under which `docker login` and credential helpers store a credential. */
export const HUB_CREDENTIAL_KEY = 'https://index.docker.io/v1/';

/** The origin of its token server. */
export const HUB_TOKEN_SERVER = 'https://auth.docker.io';

const HUB_HOSTS: readonly string[] = ['index.docker.io', HUB_HOST, HUB_API_HOST];

/** Every host name of the registry that `host` names: three for Docker Hub, one for any other. */
export function hostAliases(host: string): readonly string[] {
  return isHubHost(host) ? HUB_HOSTS : [host];
}

/** Whether a host name is one of Docker Hub's. */
export function isHubHost(host: string): boolean {
  return HUB_HOSTS.includes(host);
}

/** `host[:port]` at which the API of a registry answers, by its name in references. */
export function apiHost(host: string): string {
  return host === HUB_HOST ? HUB_API_HOST : host;
}
