import { ManifestToolError } from '../errors.js';
import { connectionFailure } from '../transport/failures.js';
import type { HttpRequest, HttpResponse, Scope, Transport } from '../transport/http.js';
import { answerFailure } from './failure.js';

/** One registry as the verbs of the specification see it: an address, a way to send requests, and somebody who sends them. */
export interface Connection {
  /** `host[:port]` as users write it. */
  readonly host: string;
  readonly origin: string;
  readonly transport: Transport;
  /** Says that the command will need these scopes; the first said come first in a token request. */
  readonly expect: (scope: Scope) => void;
  readonly whom: () => string;
}

/** One request of a verb. Paths hold only what was checked before: repository names, tags and digests. */
export interface Call extends Omit<HttpRequest, 'url'> {
  readonly path: string;
  /** What is being done, for messages. */
  readonly what: string;
}

/**
 * Sends a request of a verb.
 * @throws {ManifestToolError} where there is no answer; an answer with any status is returned.
 */
export async function send(connection: Connection, call: Call): Promise<HttpResponse> {
  const { path, what, ...request } = call;
  try {
    return await connection.transport({ ...request, url: new URL(`${connection.origin}${path}`) });
  } catch (error) {
    throw connectionFailure(what, connection.host, error);
  }
}

/** The error for an answer that is none of those that the verb knows. */
export function unexpected(
  connection: Connection,
  what: string,
  response: HttpResponse,
): ManifestToolError {
  return answerFailure(what, response, { host: connection.host, whom: connection.whom() });
}
