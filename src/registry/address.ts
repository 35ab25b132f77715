/** Docker Hub is known by one name and answers at another. */
const API_HOSTS = new Map([['docker.io', 'registry-1.docker.io']]);

/** `host[:port]` at which the API of a registry is, by the name that stands in references. */
export function apiAddress(host: string): string {
  return API_HOSTS.get(host) ?? host;
}
