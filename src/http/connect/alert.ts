import type { Socket } from 'node:net';
import type { buildConnector as Connectors } from 'undici';
import { now } from '../../clock.js';
import { causesOf, systemCode } from '../../errors.js';

/** Alerts by which a server demands a client certificate, or refuses the one that it got (RFC 8446, 6.2). */
const ABOUT_CLIENT = new Set([
  'access denied',
  'bad certificate',
  'certificate expired',
  'certificate required',
  'certificate revoked',
  'certificate unknown',
  // What servers of TLS 1.2 send in place of "certificate required".
  'handshake failure',
  'unknown ca',
  'unsupported certificate',
]);

/** How a server ended a connection with an alert of TLS (RFC 8446, 6): a definite answer. */
export class TlsAlert extends Error {
  /** Whether it is about the certificate of the client. */
  readonly isAboutClient: boolean;

  constructor(
    /** The alert, as in `bad certificate`. */
    readonly alert: string,
    /** Whether the server could have a client certificate for the asking. */
    readonly hasClient: boolean,
    cause: unknown,
  ) {
    super(`the server ended TLS with the alert "${alert}"`, { cause });
    this.isAboutClient = ABOUT_CLIENT.has(alert);
  }
}

/** The alert in an error of Node, or in its causes: `bad certificate`; undefined if there is none. */
export function alertIn(error: unknown): string | undefined {
  for (const each of causesOf(error)) {
    const alert = /^ERR_SSL_.*ALERT_(?<name>.+)$/.exec(systemCode(each) ?? '')?.groups?.['name'];
    if (alert !== undefined) return alert.toLowerCase().replaceAll('_', ' ');
  }
  return undefined;
}

/** Shortest time that a server is given to refuse a connection, in milliseconds. */
const MIN_WAIT_MS = 500;

/**
 * Opens a connection on which nothing is sent, and waits for an alert. A server of TLS 1.3 refuses a
 * client after the handshake, when the first request is on its way: if that arrives at a closed
 * connection, the reset that follows destroys the alert.
 * @returns the alert; undefined if the server keeps the connection open
 */
export function alertWithoutRequest(
  connect: Connectors.connector,
  target: Connectors.Options,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const start = now();
    connect(target, (...result) => {
      if (result[0] !== null) {
        resolve(alertIn(result[0]));
        return;
      }
      const socket: Socket = result[1];
      // The alert arrives a round trip after the handshake, which takes two.
      const timer = setTimeout(() => socket.destroy(), Math.max(MIN_WAIT_MS, now() - start));
      let alert: string | undefined;
      socket.on('error', (error) => (alert = alertIn(error)));
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(alert);
      });
      socket.resume();
    });
  });
}
