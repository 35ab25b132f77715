/** Most bytes in transit in one direction: enough for any link worth measuring. */
const WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Forwards one direction of a connection with a delay.
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 * @param {object} link
 * @param {number} link.delayMs delay of each byte
 * @param {number} [link.openAt] when the connection is established (`performance.now()`); nothing is sent before
 * @param {(bytes: Buffer) => void} [link.onSent] called with bytes when they are sent
 * @param {(bytes: Buffer) => void} [link.onArrived] called with bytes when they arrive
 */
export function carry(from, to, { delayMs, openAt = 0, onSent = ignore, onArrived = ignore }) {
  /** @type {{ at: number, bytes: Buffer | undefined }[]} Undefined is the end. */
  const underWay = [];
  let bytesUnderWay = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;

  const regulate = () => {
    if (bytesUnderWay + to.writableLength > WINDOW_BYTES) from.pause();
    else from.resume();
  };
  const deliver = () => {
    timer = undefined;
    for (let [next] = underWay; next !== undefined; [next] = underWay) {
      const early = next.at - performance.now();
      if (early > 0) {
        timer = setTimeout(deliver, early);
        break;
      }
      underWay.shift();
      if (next.bytes === undefined) to.end();
      else {
        bytesUnderWay -= next.bytes.length;
        onArrived(next.bytes);
        to.write(next.bytes);
      }
    }
    regulate();
  };
  /** @param {Buffer | undefined} bytes */
  const send = (bytes) => {
    underWay.push({ at: Math.max(performance.now(), openAt) + delayMs, bytes });
    bytesUnderWay += bytes?.length ?? 0;
    if (timer === undefined) deliver();
    else regulate();
  };

  from.on('data', (bytes) => {
    onSent(bytes);
    send(bytes);
  });
  from.on('end', () => send(undefined));
  from.on('close', () => to.destroyed && clearTimeout(timer));
  to.on('drain', regulate);
  to.on('close', () => clearTimeout(timer));
}

function ignore() {}
