import { now } from '../clock.js';
import { formatDuration } from '../duration.js';
import type { BodyStream, StreamedBody, Timeouts } from './request.js';

/** An answer that keeps coming, but so slowly that it is given up; another attempt may help. */
export class SlowAnswer extends Error {}

/**
 * The time that one attempt of a request has, whatever arrives meanwhile: the limits on silence of
 * undici begin anew with each byte, header or informational answer.
 */
export class AnswerDeadline {
  private readonly controller = new AbortController();
  private readonly abort: () => void;
  private timer: NodeJS.Timeout | undefined;
  /** An upload may go on for a moment after its answer. */
  private isEnded = false;

  /**
   * @param milliseconds from now on
   * @param totalMs the time for all attempts together, for the message.
   */
  constructor(
    private readonly outer: AbortSignal,
    private readonly milliseconds: number,
    private readonly totalMs: number,
  ) {
    this.abort = () => this.controller.abort(outer.reason);
    if (outer.aborted) this.abort();
    else outer.addEventListener('abort', this.abort);
    this.restart();
  }

  /** Aborted with {@link SlowAnswer} at the deadline, or together with the outer signal. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Ends the watch: the answer has arrived, or the attempt has failed. */
  end(): void {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.outer.removeEventListener('abort', this.abort);
  }

  /** A body to send; as long as it is taken piece by piece, the answer is not due. */
  upload({ length, open }: StreamedBody): StreamedBody {
    const restart = (): void => this.restart();
    async function* watched(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of open()) {
        restart();
        yield chunk;
      }
      restart();
    }
    return { length, open: watched };
  }

  /**
   * A body of any size as a stream. It has no deadline as a whole, but its source must keep up the
   * least rate; the time that its reader takes does not count.
   */
  stream(body: BodyStream, { idleMs, leastRate: { bytes: least, perMs } }: Timeouts): BodyStream {
    const chunks = async function* chunks(
      this: AnswerDeadline,
    ): AsyncGenerator<Uint8Array, void, undefined> {
      const source = body[Symbol.asyncIterator]();
      const slow = `sent less than ${least} bytes in ${formatDuration(perMs)}`;
      let waited = 0;
      let received = 0;
      try {
        for (;;) {
          const began = now();
          this.restart(Math.max(perMs, idleMs), slow);
          const chunk = await source.next();
          clearTimeout(this.timer);
          if (chunk.done === true) return;
          waited += now() - began;
          received += chunk.value.length;
          if (waited >= perMs) {
            if (received < least) throw new SlowAnswer(slow);
            [waited, received] = [0, 0];
          }
          yield chunk.value;
        }
      } finally {
        this.end();
        await source.return?.();
      }
    };
    const destroy = (): void => {
      this.end();
      body.destroy();
    };
    clearTimeout(this.timer);
    return { [Symbol.asyncIterator]: () => chunks.call(this), destroy };
  }

  private restart(
    milliseconds = this.milliseconds,
    why = `did not send a complete response within ${formatDuration(this.totalMs)}`,
  ): void {
    clearTimeout(this.timer);
    if (this.isEnded || this.signal.aborted) return;
    this.timer = setTimeout(() => this.controller.abort(new SlowAnswer(why)), milliseconds);
  }
}
