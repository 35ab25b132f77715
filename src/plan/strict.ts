import { ManifestToolError } from '../errors.js';
import type { PlanEvents } from './events.js';

/** Passes warnings on and keeps them, for a publish that takes them for errors. */
export class Strictness {
  private readonly warnings: string[] = [];
  readonly events: PlanEvents;

  constructor(events: PlanEvents) {
    this.events = { ...events, warning: (text) => this.warn(text, events) };
  }

  private warn(text: string, events: PlanEvents): void {
    this.warnings.push(text);
    events.warning?.(text);
  }

  /** @throws {ManifestToolError} USAGE where there was a warning. */
  refuse(what: string): void {
    const { warnings } = this;
    if (warnings.length === 0) return;
    const count = warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`;
    const why = `there is ${count}, and --strict makes an error of it: ${warnings.join('; ')}`;
    throw new ManifestToolError('USAGE', what, why);
  }
}
