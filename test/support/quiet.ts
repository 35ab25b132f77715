import { setImmediate, setTimeout as sleep } from 'node:timers/promises';

/** Nothing that a client in this process does between an answer and its next request takes this long. */
const QUIET_MS = 25;
/** On a busy machine the time passes without this process having run: it must have had that many turns as well. */
const QUIET_TURNS = 50;

/** Waits until a number has not changed for a while. */
export async function untilQuiet(count: () => number): Promise<void> {
  for (let before = Number.NaN; before !== count();) {
    before = count();
    await sleep(QUIET_MS);
    for (let turn = 0; turn < QUIET_TURNS && before === count(); turn += 1) await setImmediate();
  }
}
