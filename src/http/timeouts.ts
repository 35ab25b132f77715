/** Milliseconds without progress after which a request has failed; a connection has its own limit, where it is opened. */
export interface Timeouts {
  readonly headersMs: number;
  readonly idleMs: number;
}
