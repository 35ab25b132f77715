import fc from 'fast-check';
import { ManifestToolError } from '../../src/errors.js';
import { escapeText } from '../../src/text.js';
import { cpuTimeOf } from '../support/cpu-time.js';

/** The most processor time that one input may take, in milliseconds, unless a parser says otherwise. */
const LIMIT_MS = 250;

/** A parser, and how it is tried. */
export interface Parser {
  readonly name: string;
  run(parameters: { readonly seed: number; readonly numRuns: number }): Promise<Outcome>;
}

export interface Outcome {
  readonly inputs: number;
  /** The smallest input that was found to fail and why; undefined where none did. */
  readonly failure: string | undefined;
}

/** A parser with what it is given and what must hold for each input. */
export function parser<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  property: (input: T) => void | Promise<void>,
  limitMs = LIMIT_MS,
): Parser {
  return {
    name,
    run: async (parameters) => {
      const checked = fc.asyncProperty(inputs, async (input) =>
        inTime(() => property(input), limitMs),
      );
      const details = await fc.check(checked, {
        ...parameters,
        interruptAfterTimeLimit: 480_000,
        markInterruptAsFailure: true,
      });
      return { inputs: details.numRuns, failure: details.failed ? failureOf(details) : undefined };
    },
  };
}

function failureOf<T>({
  counterexample,
  counterexamplePath,
  seed,
  errorInstance,
}: fc.RunDetails<T>): string {
  const input = fc.stringify(counterexample);
  const shown = input.length > 1000 ? `${input.slice(0, 500)} ... ${input.slice(-500)}` : input;
  const why =
    errorInstance instanceof Error
      ? (errorInstance.stack ?? '').slice(0, 1500)
      : 'it was not found in time';
  return `seed ${seed}, path ${counterexamplePath}, input ${shown}\n${why}`;
}

/** The best of three counts: the first may have to compile, or collect garbage of others. */
async function inTime(work: () => void | Promise<void>, limitMs: number): Promise<void> {
  let best = Infinity;
  for (let i = 0; i < 3 && best > limitMs; i += 1) {
    best = Math.min(best, await cpuTimeOf(work));
  }
  if (best > limitMs) throw new Error(`it took ${Math.round(best)} ms`);
}

export type ErrorType = abstract new (...parameters: never[]) => Error;

/** What `parse` makes of an input, or undefined where it refuses it as it may. */
export async function accepted<T>(
  parse: () => T | Promise<T>,
  refusals: readonly ErrorType[] = [ManifestToolError],
  secrets: readonly string[] = [],
): Promise<T | undefined> {
  try {
    return await parse();
  } catch (error) {
    if (!refusals.some((type) => error instanceof type)) throw error;
    checkText((error as Error).message, secrets);
    if (error instanceof ManifestToolError) {
      // The command line has a hint for every reason.
      that(error.hint !== undefined || error.reason !== undefined, `no hint: ${error.message}`);
      checkText(error.hint ?? '', secrets);
    }
    return undefined;
  }
}

/** Text for the user is one line when the reporter has escaped it, and holds no secret. */
export function checkText(text: string, secrets: readonly string[] = []): void {
  const shown = escapeText(text);
  that(!/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(shown), `not one line: ${JSON.stringify(shown)}`);
  that(escapeText(shown) === shown, 'escaped twice is not escaped once');
  for (const secret of secrets)
    that(!text.includes(secret), `a secret in: ${JSON.stringify(text)}`);
}

export function that(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
