import { ManifestToolError, reasonOf, systemCode } from '../errors.js';
import { DamagedBody } from './http.js';
import { BodyTooLarge } from './undici.js';

const CERTIFICATE = new Map([
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

const CONNECTION = new Map([
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
function knownCode(error: unknown, known: ReadonlyMap<string, string>): string | undefined {
  for (let each = error, depth = 0; each !== undefined && depth < 8; depth += 1) {
    const code = systemCode(each);
    if (code !== undefined && known.has(code)) return code;
    const first: unknown = each instanceof AggregateError ? each.errors[0] : undefined;
    each = first ?? (each instanceof Error ? each.cause : undefined);
  }
  return undefined;
}

/** Whether an error says that the other side does not speak TLS. */
function isNoTls(error: unknown): boolean {
  return /wrong version number|packet length too long|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH)/i.test(
    reasonOf(error),
  );
}

/** An error of the connection as one of this program, with what to try; errors of this program pass unchanged. */
export function connectionFailure(what: string, host: string, error: unknown): ManifestToolError {
  if (error instanceof ManifestToolError) return error;
  if (error instanceof DamagedBody) {
    return new ManifestToolError('CORRUPT', what, error.message, { cause: error });
  }
  if (error instanceof BodyTooLarge) {
    return new ManifestToolError('CORRUPT', what, error.message, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new ManifestToolError('INTERRUPTED', what, 'it was interrupted', { cause: error });
  }
  const certificate = knownCode(error, CERTIFICATE);
  if (certificate !== undefined) {
    return new ManifestToolError('UNAVAILABLE', what, `${host}: ${CERTIFICATE.get(certificate)!}`, {
      cause: error,
      hint: certificateHint(certificate),
    });
  }
  if (isNoTls(error)) {
    return new ManifestToolError('UNAVAILABLE', what, `${host} does not speak TLS`, {
      cause: error,
      hint: 'if it is meant to be spoken to in plain HTTP, give --plain-http',
    });
  }
  const connection = knownCode(error, CONNECTION);
  return new ManifestToolError(
    'UNAVAILABLE',
    what,
    connection === undefined
      ? `${host}: ${reasonOf(error)}`
      : `${host} cannot be reached: ${CONNECTION.get(connection)!}`,
    { cause: error, hint: 'check the name and the port of the registry, and the network' },
  );
}

function certificateHint(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code.startsWith('CERT_')) {
    return 'the certificate of the registry has to be replaced; --insecure does without checking it';
  }
  return 'add its authority with NODE_EXTRA_CA_CERTS=FILE; --insecure does without checking it';
}
