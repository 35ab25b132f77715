import type { RecordingProxy } from './proxy.js';
import { untilQuiet } from './quiet.js';

/**
 * Has proxies hold all requests until the client sends no more, and then pass them on together; so on until it ends. What then waits for
 * each other does so because the client made it wait, and not because one of two requests happened to be late.
 */
export function lockStep(...proxies: readonly RecordingProxy[]): void {
  const held: (() => void)[] = [];
  let arrivals = 0;

  /** How many requests that were passed on have no answer yet. */
  const underWay = (): number =>
    proxies.flatMap(({ requests }) => requests.filter(({ end }) => end === undefined)).length -
    held.length;

  /** A client that opens a connection has something to send. */
  const handshakes = (): number => proxies.reduce((sum, proxy) => sum + proxy.handshakes(), 0);

  const releaseWhenQuiet = async (): Promise<void> => {
    // An answer that has only just been given may still lead to a request, and so may a handshake.
    do await untilQuiet(() => arrivals - underWay() - handshakes());
    while (underWay() > 0 || handshakes() > 0);
    for (const release of held.splice(0)) release();
  };

  for (const proxy of proxies) {
    proxy.intercept = () => {
      arrivals += 1;
      const after = new Promise<void>((resolve) => {
        held.push(resolve);
      });
      if (held.length === 1) void releaseWhenQuiet();
      return { after };
    };
  }
}
