import buildConnector from 'undici/lib/core/connect.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { EarlyConnections } from './early-connections.js';
import { Http2Choice } from './http2-choice.js';
import type { Origin } from './origin.js';
import { poolOptions, targetTls, type ConnectionOptions } from './pool-options.js';
import { sharedLookup } from './shared-lookup.js';
import { SpareConnections } from './spare-connections.js';

export interface StraightOptions extends ConnectionOptions {
  /** How many to open beside the first, see {@link SpareConnections}; one that will be asked more than once has it. */
  readonly spares?: (() => number) | undefined;
  /** Connections that were begun already, perhaps to this origin. */
  readonly early?: EarlyConnections | undefined;
}

/**
 * The connections directOrigin to one origin.
 * @throws {ManifestToolError} CONFIG: the client's certificate is not usable.
 */
export function directOrigin(origin: string, options: StraightOptions): Origin {
  const { early, sockets, spares: count, connectTimeoutMs } = options;
  const lookup = early?.lookup ?? sharedLookup();
  const tls = { ...targetTls(origin, options), lookup };
  if (count === undefined) {
    const connect = sockets.ownedBy(buildConnector(tls));
    const http1 = new Pool(origin, poolOptions(options, connect));
    return { http1, destroy: () => http1.destroy() };
  }
  const spares = new SpareConnections({
    connect: sockets.ownedBy(buildConnector({ ...tls, allowH2: false })),
    connectAny: sockets.ownedBy(buildConnector({ ...tls, allowH2: true })),
    sockets,
    count,
    lookup,
    early,
    connectTimeoutMs,
  });
  const http1 = new Pool(origin, poolOptions(options, spares.connector));
  const http2 = origin.startsWith('https:') ? new Http2Choice(origin, spares) : undefined;
  return {
    http1,
    ...(http2 && { http2 }),
    async destroy() {
      http2?.destroy();
      await http1.destroy();
    },
  };
}
