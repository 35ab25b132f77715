import { formatTries } from '../attempts.js';
import { ManifestToolError, reasonOf } from '../errors.js';
import { CERTIFICATE, CONNECTION, knownCode } from './error-codes.js';
import { BodyTooLarge, DamagedBody } from './request.js';
import { ProxyFailure } from './connect/proxy.js';
import { RetriesExhausted } from './retry.js';

/** Whether an error says that the other side does not speak TLS. */
export function isNoTls(error: unknown): boolean {
  return /wrong version number|packet length too long|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH)/i.test(
    reasonOf(error),
  );
}

/** An error of the connection as one of this program, with what to try; errors of this program pass unchanged. */
export function connectionFailure(what: string, host: string, error: unknown): ManifestToolError {
  if (error instanceof ManifestToolError) return error;
  if (error instanceof RetriesExhausted) {
    const last = connectionFailure(what, host, error.cause);
    const { code, why, hint, reason, data } = last;
    const details = { cause: error.cause, hint, reason, data };
    return new ManifestToolError(code, what, why + formatTries(error.attempts), details);
  }
  if (error instanceof DamagedBody || error instanceof BodyTooLarge) {
    const hint =
      error instanceof DamagedBody
        ? 'try again; where it stays so, look for a proxy that changes what passes it'
        : 'check the name and the port of the registry: none answers with as much';
    return new ManifestToolError('CORRUPT', what, error.message, { cause: error, hint });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new ManifestToolError('INTERRUPTED', what, error.message, { cause: error });
  }
  if (error instanceof ProxyFailure) {
    return new ManifestToolError('UNAVAILABLE', what, error.message, {
      cause: error,
      hint: 'check HTTPS_PROXY, HTTP_PROXY and NO_PROXY',
    });
  }
  const certificate = knownCode(error, CERTIFICATE);
  if (certificate !== undefined) {
    return new ManifestToolError('UNAVAILABLE', what, `${host}: ${CERTIFICATE.get(certificate)!}`, {
      cause: error,
      hint: certificateHint(certificate, host),
    });
  }
  if (isNoTls(error)) {
    return new ManifestToolError('UNAVAILABLE', what, `${host} does not speak TLS`, {
      cause: error,
      reason: 'tls-not-spoken',
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

function certificateHint(code: string, host: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code.startsWith('CERT_')) {
    return 'the certificate of the registry has to be replaced; --insecure does without checking it';
  }
  return (
    `give its authority with --ca-file FILE, or put it in /etc/docker/certs.d/${host}/ca.crt; ` +
    '--insecure does without checking it'
  );
}
