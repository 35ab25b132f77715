/**
 * Lets the first of many requests go alone where a registry is expected to ask for credentials: there is one refusal then, and not one for
 * each request of a burst. It takes no more time, since all of them would have to be sent again.
 */
export class FirstRequest {
  private first: Promise<unknown> | undefined;
  private expectation: Promise<boolean> | undefined;

  constructor(private readonly isExpected: () => Promise<boolean>) {}

  /** Sends a request; undefined where another one went first, which is answered now. */
  async send<T>(send: () => Promise<T>): Promise<T | undefined> {
    this.expectation ??= this.isExpected();
    if (!(await this.expectation)) return send();
    if (this.first !== undefined) {
      await this.first;
      return undefined;
    }
    const sent = send();
    this.first = sent.catch(() => undefined);
    return sent;
  }
}
