/** A URL, or undefined if the string is not one (`URL.parse`, which Node 20 lacks). */
export function parseUrl(text: string, base?: URL): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/**
 * The URL of a Location or Link header, resolved against the URL that answered (RFC 9110, 10.2.2).
 * Some registries omit its scheme: `registry.example/v2/…`. Undefined if it is not a URL.
 */
export function resolveHeaderUrl(text: string, base: URL): URL | undefined {
  const isBare = text.startsWith(`${base.host}/`);
  return parseUrl(isBare ? `${base.protocol}//${text}` : text, base);
}

/** Whether a host name or address, without a port, is of this machine: localhost, 127.0.0.0/8 or ::1. */
export function isLoopbackHost(hostname: string): boolean {
  const name = hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(name);
}

/** The port of a URL, or the default port of its scheme. */
export function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  return Number(port) || (protocol === 'https:' ? 443 : 80);
}
