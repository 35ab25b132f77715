import type { PlanEvents } from '../core/events.js';
import type { Check, CheckName, CheckResult, Results } from './check.js';
import { NotTried, Refusal } from './refusal.js';
import type { Site } from './site.js';

/**
 * Makes all checks, each as soon as those before it that it waits for have ended.
 * @param stop told of each error that is no answer to a check, so that nothing more begins.
 * @throws one of these errors, when no check is under way any more.
 */
export async function runChecks(
  table: readonly Check[],
  site: Site,
  stop: (error: unknown) => void,
  events: PlanEvents,
): Promise<CheckResult[]> {
  const running = new Map<CheckName, Promise<CheckResult>>();
  let ended = 0;
  const run = async (check: Check): Promise<CheckResult> => {
    const waitsFor = [...check.needs, ...(check.needsOneOf ?? []), ...(check.after ?? [])];
    const before = await Promise.all(waitsFor.flatMap((name) => running.get(name) ?? []));
    const results = new Map(before.map((result) => [result.name, result]));
    const result = await makeCheck(check, site, results);
    ended += 1;
    events.progress?.(`checking ${site.probe.name}: ${ended} of ${table.length} checks done`);
    return result;
  };
  for (const check of table) {
    const result = run(check);
    result.catch(stop);
    running.set(check.name, result);
  }
  await Promise.allSettled(running.values());
  return Promise.all(running.values());
}

async function makeCheck(check: Check, site: Site, results: Results): Promise<CheckResult> {
  const { name, title } = check;
  const end = (result: CheckResult['result'], detail: string): CheckResult => ({
    name,
    title,
    result,
    detail,
  });
  const missing = missingOf(check, results);
  if (missing !== undefined) return end('not tried', `needs ${missing}`);
  try {
    return end('yes', await check.prove(site, results));
  } catch (error) {
    if (error instanceof Refusal) return end('no', error.message);
    if (error instanceof NotTried) return end('not tried', error.message);
    throw error;
  }
}

/** What a check needs and the registry does not do, by its title. */
function missingOf({ needs, needsOneOf }: Check, results: Results): string | undefined {
  const isNot = (name: CheckName): boolean => results.get(name)?.result !== 'yes';
  const titles = (names: readonly CheckName[], word: string): string =>
    names.map((name) => results.get(name)!.title).join(word);
  const missing = needs.filter(isNot);
  if (missing.length > 0) return titles(missing, ' and ');
  if (needsOneOf?.every(isNot) === true) return titles(needsOneOf, ' or ');
  return undefined;
}
