import type { Dispatcher, Pool } from 'undici';
import { orAborted } from '../../concurrency.js';
import type { BegunAnswer, HttpRequest, Timeouts } from '../request.js';

/**
 * HTTP/1.1 with one origin. Its client is loaded with the first request: a third of the code for
 * registries, which HTTP/2 can do without.
 */
export class Http1 {
  private dispatcher: Promise<Dispatcher> | undefined;

  /** @param open makes the pool of connections; called once, with undici's class */
  constructor(private readonly open: (PoolClass: typeof Pool) => Dispatcher) {}

  /**
   * Sends a request.
   * @returns the answer as soon as it begins
   * @throws undici's errors, or the reason of the signal.
   */
  async send(request: HttpRequest, timeouts: Timeouts, signal: AbortSignal): Promise<BegunAnswer> {
    const dispatcher = await this.pool();
    const { sendOver } = await import('./http1-client.js');
    signal.throwIfAborted();
    return orAborted(sendOver(dispatcher, request, timeouts, signal), signal);
  }

  /** The pool of connections. */
  pool(): Promise<Dispatcher> {
    return (this.dispatcher ??= import('./http1-client.js').then(({ PoolClass }) =>
      this.open(PoolClass),
    ));
  }

  /** Closes all connections. A request that is sent later fails by its signal. */
  async destroy(): Promise<void> {
    await (await this.dispatcher)?.destroy();
  }
}
