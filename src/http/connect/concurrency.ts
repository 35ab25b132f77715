/** How many requests to one host are on their way at a time. */
export const CONCURRENCY = 40;
/** How many connections of HTTP/1.1 are opened beside the first one to a registry, at least, where as many are allowed. */
export const SPARES = 15;
