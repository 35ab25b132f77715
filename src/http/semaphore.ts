/** Lets so many through at a time; how many may change at any moment. */
export class Semaphore {
  private active = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly limit: () => number) {}

  /** Resolves when there is room; whoever was let in has to `leave`. */
  async acquire(): Promise<void> {
    while (this.active >= this.limit()) {
      await new Promise<void>((resolve) => this.queue.push(resolve));
    }
    this.active += 1;
  }

  release(): void {
    this.active -= 1;
    // More than one where the limit has risen.
    const free = this.limit() - this.active;
    for (const letIn of this.queue.splice(0, Math.max(0, free))) letIn();
  }
}
