/**
 * Types of the undici modules that src/http imports by their path: undici's index also loads
 * fetch, WebSocket, caches and mocks, which triples the time to the first request. The paths are
 * private to undici, hence the exact version in package.json.
 *
 * Every one is a CommonJS module whose `module.exports` is the default import:
 * `import Agent from 'undici/lib/dispatcher/agent.js'`.
 */
declare module 'undici/lib/dispatcher/agent.js' {
  export { Agent as default } from 'undici';
}

declare module 'undici/lib/dispatcher/pool.js' {
  export { Pool as default } from 'undici';
}

declare module 'undici/lib/dispatcher/client.js' {
  export { Client as default } from 'undici';
}

declare module 'undici/lib/dispatcher/proxy-agent.js' {
  export { ProxyAgent as default } from 'undici';
}

declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici';
}

declare module 'undici/lib/core/util.js' {
  import type { Socket } from 'node:net';

  const util: {
    /**
     * Destroys a socket with a ConnectTimeoutError after `timeout` milliseconds; returns what stops
     * that.
     */
    setupConnectTimeout(
      socket: WeakRef<Socket>,
      options: { timeout: number; hostname: string; port: number },
    ): () => void;
  };
  export default util;
}

declare module 'undici/lib/core/errors.js' {
  export { errors as default } from 'undici';
}

declare module 'undici/lib/api/api-request.js' {
  import type { Dispatcher } from 'undici';

  /**
   * The method `request` of a dispatcher, as a function: `request.call(agent, { origin, path,
   * method })`.
   */
  export default function request<TOpaque = null>(
    this: Dispatcher,
    options: Dispatcher.RequestOptions<TOpaque>,
  ): Promise<Dispatcher.ResponseData<TOpaque>>;
}
