import { BASIC_CHECKS } from './basic-checks.js';
import type { Check } from './check.js';
import { DELETION_CHECKS } from './deletion-checks.js';
import { LIST_CHECKS } from './list-checks.js';
import { RELATION_CHECKS } from './relation-checks.js';
import { SIZE_CHECK } from './size-check.js';
import { WRITE_CHECKS } from './write-checks.js';

/** All checks; one stands after those that it builds on. */
export function checks(limits: boolean): Check[] {
  const before = [
    ...BASIC_CHECKS,
    ...LIST_CHECKS,
    ...WRITE_CHECKS,
    ...RELATION_CHECKS,
    ...(limits ? [SIZE_CHECK] : []),
  ];
  const all = before.map(({ name }) => name);
  const last = DELETION_CHECKS.map((check) => ({
    ...check,
    after: [...all, ...(check.after ?? [])],
  }));
  return [...before, ...last];
}
