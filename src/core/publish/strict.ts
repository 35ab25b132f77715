import { ManifestToolError } from '../../errors.js';
import type { PlanEvents } from '../events.js';

/**
 * What `--strict` makes of warnings.
 * @throws {ManifestToolError} USAGE with each of them, where there is one.
 */
export function refuseWarnings(what: string, warnings: readonly string[]): void {
  if (warnings.length === 0) return;
  const [count, them] =
    warnings.length === 1 ? ['is a warning', 'it'] : [`are ${warnings.length} warnings`, 'them'];
  const why = `there ${count}, and --strict makes an error of ${them}: ${warnings.join('; ')}`;
  const hint = `see to ${them}, or leave --strict out`;
  throw new ManifestToolError('USAGE', what, why, { hint });
}

/** Passes warnings on and keeps them, for what takes them for errors in the end. */
export class WarningCollector {
  readonly warnings: string[] = [];
  readonly events: PlanEvents;

  constructor(events: PlanEvents) {
    this.events = { ...events, warning: (text) => this.warn(text, events) };
  }

  private warn(text: string, events: PlanEvents): void {
    this.warnings.push(text);
    events.warning?.(text);
  }
}
