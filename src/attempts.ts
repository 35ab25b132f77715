/**
 * The attempts of one operation: a single request, or several requests that are repeated together.
 * Everything that repeats a part of the operation counts here, so that `retries` bounds the
 * attempts of every request in it, whoever repeats it. The retry policy (http/retry) decides
 * whether there is another attempt.
 */
export class Attempts {
  private current = 1;
  private waited = 0;
  private isLastOne = false;
  private isRestartGranted = false;
  private unprocessed = 0;

  /**
   * @param restarts whether the operation is repeated as a whole: its requests are then not sent
   * again one by one, and the operation runs in {@link withRestarts}.
   */
  constructor(readonly restarts = false) {}

  /** The current attempt, counted from 1. */
  get number(): number {
    return this.current;
  }

  /** Total time waited between attempts, in milliseconds. */
  get waitedMs(): number {
    return this.waited;
  }

  /** Whether no attempt follows the current one, as far as the policy has said. */
  get isLast(): boolean {
    return this.isLastOne;
  }

  /** Begins the next attempt. For the retry policy. */
  begin({ waitMs, isLast }: { readonly waitMs: number; readonly isLast: boolean }): void {
    this.current += 1;
    this.waited += waitMs;
    this.isLastOne = isLast;
  }

  /**
   * Counts a request that the server has not processed, by its own account (RFC 9113, 8.7): sending
   * it again is not another attempt.
   * @returns how many there were in this operation.
   */
  countUnprocessed(): number {
    this.unprocessed += 1;
    return this.unprocessed;
  }

  /**
   * Lets the operation start again after a failure that is about to be thrown. For the retry
   * policy.
   */
  grantRestart(): void {
    this.isRestartGranted = true;
  }

  /** Whether the operation may start again after its last failure. */
  get mayRestart(): boolean {
    return this.isRestartGranted;
  }

  /** The same, true once for each failure. */
  takeRestart(): boolean {
    const isGranted = this.isRestartGranted;
    this.isRestartGranted = false;
    return isGranted;
  }
}

/**
 * Runs an operation, and again from its beginning as long as the retry policy grants restarts.
 * @throws what `work` throws when there is no further attempt.
 */
export async function withRestarts<T>(attempts: Attempts, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const result = await work();
      // Of a failure that the work got over by itself.
      attempts.takeRestart();
      return result;
    } catch (error) {
      if (!attempts.takeRestart()) throw error;
    }
  }
}

/** ` (5 attempts)` for messages; empty for a single attempt. */
export function formatTries(attempts = 1): string {
  return attempts > 1 ? ` (${attempts} attempts)` : '';
}
