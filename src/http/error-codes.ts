import { systemCode } from '../errors.js';

/** What a code of Node's TLS says of a certificate. */
export const CERTIFICATE = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed'],
  [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'its certificate is signed by an authority that is not trusted here',
  ],
  [
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'its certificate is signed by an authority that is not trusted here',
  ],
  [
    'UNABLE_TO_GET_ISSUER_CERT',
    'its certificate is signed by an authority that is not trusted here',
  ],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'its certificate is signed by an authority that is not trusted here',
  ],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host'],
]);

/** What a code of Node or undici says of a connection. */
export const CONNECTION = new Map([
  ['ECONNREFUSED', 'nothing accepts connections there'],
  ['ENOTFOUND', 'the host is not known'],
  ['EAI_AGAIN', 'the name of the host could not be looked up'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting timed out'],
  ['UND_ERR_HEADERS_TIMEOUT', 'it did not answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'its answer stopped half way'],
  ['UND_ERR_SOCKET', 'the connection was closed before the answer was complete'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'its answer was shorter or longer than announced'],
]);

/** The first error with a known code in the chain of causes: Node wraps what the system said, several times over. */
export function knownCode(error: unknown, known: ReadonlyMap<string, string>): string | undefined {
  for (let each = error, depth = 0; each !== undefined && depth < 8; depth += 1) {
    const code = systemCode(each);
    if (code !== undefined && known.has(code)) return code;
    const first: unknown = each instanceof AggregateError ? each.errors[0] : undefined;
    each = first ?? (each instanceof Error ? each.cause : undefined);
  }
  return undefined;
}
