import type { TLSSocket } from 'node:tls';
import type { buildConnector as Connectors } from 'undici';
import type { SecureContext } from 'node:tls';
import { systemCode } from '../../errors.js';
import { alertIn } from './alert.js';
import type { HostTls } from './tls.js';

type Connector = Connectors.connector;

/** Settings of TLS for one connection, as Node takes them. */
export interface TlsConnection {
  readonly secureContext: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** Codes by which Node rejects a chain that ends in an authority that it does not know. */
export const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** A certificate whose authority is not trusted. */
export class UntrustedCertificate extends Error {
  /** Node's code for it. */
  readonly code: string | undefined;

  constructor(
    /** The name of the authority (RFC 4514): remote text. */
    readonly issuer: string,
    cause: Error,
  ) {
    super(cause.message, { cause });
    this.code = systemCode(cause);
  }
}

/**
 * A connector to a host in TLS. A chain that does not verify is tried once more with the authorities
 * of the system. If it still does not, the host is asked for its certificate, to name the authority;
 * nothing else is sent.
 * @param make a connector with these settings
 */
export function trustingConnector(
  tls: HostTls,
  make: (tls: TlsConnection) => Connector,
): Connector {
  const { rejectUnauthorized } = tls;
  let context = tls.secureContext;
  let connector = make({ secureContext: context, rejectUnauthorized });
  const connect: Connector = (options, callback) => {
    if (context !== tls.secureContext) {
      context = tls.secureContext;
      connector = make({ secureContext: context, rejectUnauthorized });
    }
    connector(options, callback);
  };
  const attempt: Connector = (options, callback) => {
    const used = tls.secureContext;
    connect(options, (...result) => {
      const [error] = result;
      if (error === null) endAtAlert(result[1] as TLSSocket);
      if (error === null || !UNTRUSTED.has(systemCode(error) ?? '')) {
        callback(...result);
        return;
      }
      void goOn(used, error, options, callback);
    });
  };
  const goOn = async (
    used: SecureContext,
    error: Error,
    { httpSocket: _used, ...options }: Connectors.Options,
    callback: Connectors.Callback,
  ): Promise<void> => {
    const failure = await tls.trustSystem();
    if (failure !== undefined) callback(failure, null);
    else if (tls.secureContext !== used) attempt(options, callback);
    else if (tls.unreadable !== undefined) callback(tls.unreadable, null);
    else nameIssuer(error, options, callback);
  };
  const nameIssuer = (
    error: Error,
    options: Connectors.Options,
    callback: Connectors.Callback,
  ): void => {
    make({ secureContext: context, rejectUnauthorized: false })(options, (...result) => {
      const issuer = result[0] === null ? issuerOf(result[1] as TLSSocket) : '';
      if (result[0] === null) result[1].destroy();
      callback(issuer === '' ? error : new UntrustedCertificate(issuer, error), null);
    });
  };
  return attempt;
}

/**
 * Ends a connection with the alert of the server as its error. Node leaves it open, and undici would
 * report the end of the connection, which follows, in place of the alert.
 */
function endAtAlert(socket: TLSSocket): void {
  socket.prependListener('error', (error) => {
    if (alertIn(error) !== undefined && !socket.destroyed) socket.destroy(error);
  });
}

/** The issuer of the last certificate of a chain, as far as the server sends it. */
function issuerOf(socket: TLSSocket): string {
  let certificate = socket.getPeerX509Certificate();
  while (
    certificate?.issuerCertificate !== undefined &&
    certificate.issuerCertificate.fingerprint256 !== certificate.fingerprint256
  )
    certificate = certificate.issuerCertificate;
  return certificate?.issuer.split('\n').toReversed().join(', ') ?? '';
}
