import { formatTries } from '../attempts.js';
import {
  detailsOf,
  causesOf,
  ManifestToolError,
  reasonOf,
  systemCode,
  type ErrorDetails,
} from '../errors.js';
import { SlowAnswer } from './answer-deadline.js';
import { TlsAlert } from './connect/alert.js';
import { ProxyFailure } from './connect/proxy.js';
import { UNTRUSTED, UntrustedCertificate } from './connect/trust.js';
import { BodyTooLarge, DamagedBody } from './request.js';

/** Meaning of the codes by which Node's TLS rejects a certificate. */
const CERTIFICATE = new Map([
  ...[...UNTRUSTED].map(
    (code) => [code, 'its certificate is signed by an authority that is not trusted here'] as const,
  ),
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is self-signed'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', 'its certificate is not valid yet'],
  ['CERT_REVOKED', 'its certificate was revoked'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host'],
]);

/** Meaning of the codes by which Node and undici report a failed connection. */
export const CONNECTION = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the host name could not be resolved'],
  ['EHOSTUNREACH', 'the host cannot be reached'],
  ['ENETUNREACH', 'the network cannot be reached'],
  ['ECONNRESET', 'the connection was reset'],
  ['EPIPE', 'the connection was closed'],
  ['ETIMEDOUT', 'the connection timed out'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting timed out'],
  ['UND_ERR_HEADERS_TIMEOUT', 'it did not respond in time'],
  ['UND_ERR_BODY_TIMEOUT', 'its response stopped halfway'],
  ['UND_ERR_SOCKET', 'the connection was closed before the answer was complete'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'its response did not have the announced length'],
]);

/** The last failure of several attempts. */
export class RetriesExhausted extends Error {
  constructor(
    readonly attempts: number,
    cause: unknown,
  ) {
    super(`gave up after ${attempts} attempts`, { cause });
  }
}

/** The first known code of an error and its causes. */
export function knownCode(error: unknown, known: ReadonlyMap<string, string>): string | undefined {
  for (const each of causesOf(error)) {
    const code = systemCode(each);
    if (code !== undefined && known.has(code)) return code;
  }
  return undefined;
}

/** Codes of a connection that the other side has closed. */
const CLOSED = new Map(
  [...CONNECTION].filter(([code]) => /^(UND_ERR_SOCKET|ECONNRESET|EPIPE)$/.test(code)),
);

/** Whether an error means that the other side has closed the connection. */
export function isClosed(error: unknown): boolean {
  return knownCode(error, CLOSED) !== undefined;
}

/** Whether an error means that the server does not speak TLS. */
export function isNoTls(error: unknown): boolean {
  return /wrong version number|packet length too long|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH)/i.test(
    reasonOf(error),
  );
}

/** Faults in the form of an answer that undici reports only by their message. */
const MALFORMED = new Map([
  ['bad response', 'it sent an unrequested 100 Continue'],
  ['bad upgrade', 'it switched to another protocol without being asked'],
  ['Headers Overflow Error', 'its headers are larger than 64 KiB'],
]);

/** What is wrong with the form of an answer (RFC 9112), if that is what an error is about. */
export function malformation(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'HTTPParserError')
    return /\((.+)\)$/.exec(error.message)?.[1] ?? error.message;
  return MALFORMED.get(error.message);
}

/** The error of a request that got no answer; errors of this program are returned unchanged. */
export function connectionFailure(what: string, host: string, error: unknown): ManifestToolError {
  if (error instanceof ManifestToolError) return error;
  const unavailable = (why: string, details: ErrorDetails): ManifestToolError =>
    new ManifestToolError('UNAVAILABLE', what, why, { cause: error, ...details });
  if (error instanceof RetriesExhausted) {
    const { cause, attempts } = error;
    const failure = connectionFailure(what, host, cause);
    const why = failure.why + formatTries(attempts);
    return new ManifestToolError(failure.code, what, why, { ...detailsOf(failure), cause });
  }
  if (error instanceof DamagedBody || error instanceof BodyTooLarge) {
    const hint =
      error instanceof DamagedBody
        ? 'try again; if it fails each time, look for a proxy that changes content'
        : 'check the name and the port of the registry: no registry sends that much';
    return new ManifestToolError('CORRUPT', what, error.message, { cause: error, hint });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new ManifestToolError('INTERRUPTED', what, error.message, { cause: error });
  }
  if (error instanceof SlowAnswer) {
    return unavailable(`${host} ${error.message}`, { hint: 'try again later' });
  }
  if (error instanceof ProxyFailure) {
    const credentials =
      error.status === 407 ? '; write the user name and the password percent-encoded' : '';
    return unavailable(error.message, {
      hint: `check HTTPS_PROXY, HTTP_PROXY and NO_PROXY${credentials}`,
    });
  }
  if (error instanceof TlsAlert) return alertFailure(what, host, error);
  const certificate = knownCode(error, CERTIFICATE);
  if (certificate !== undefined) {
    const issuer = error instanceof UntrustedCertificate ? ` (${error.issuer})` : '';
    const meaning = CERTIFICATE.get(certificate)! + issuer;
    return unavailable(`${host}: ${meaning}`, {
      reason: UNTRUSTED.has(certificate) ? 'certificate-untrusted' : 'certificate-invalid',
      data: { host },
    });
  }
  if (isNoTls(error))
    return unavailable(`${host} does not speak TLS`, { reason: 'tls-not-spoken' });
  const fault = malformation(error);
  if (fault !== undefined) {
    return unavailable(`the answer of ${host} is not valid HTTP: ${fault}`, {
      hint: 'check the name and the port of the registry, and the proxy in front of it',
    });
  }
  const connection = knownCode(error, CONNECTION);
  const why =
    connection === undefined
      ? `${host}: ${reasonOf(error)}`
      : `${host} cannot be reached: ${CONNECTION.get(connection)!}`;
  return unavailable(why, {
    hint: 'check the name and the port of the registry, and the network',
  });
}

/** A handshake that the server has ended: DENIED if it is about the certificate of the client. */
function alertFailure(what: string, host: string, error: TlsAlert): ManifestToolError {
  const { alert, hasClient, isAboutClient } = error;
  const ended = `${host} ended the TLS handshake with the alert "${alert}"`;
  if (!isAboutClient) {
    return new ManifestToolError('UNAVAILABLE', what, ended, {
      cause: error,
      hint: 'check the name and the port of the registry, and which versions of TLS it speaks',
    });
  }
  const why = hasClient
    ? `${ended}: it refuses the client certificate`
    : `${ended}: it asks for a client certificate, but none is configured`;
  return new ManifestToolError('DENIED', what, why, {
    cause: error,
    reason: hasClient ? 'client-certificate-refused' : 'client-certificate-demanded',
    data: { host },
  });
}
