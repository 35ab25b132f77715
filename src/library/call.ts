import type { Client } from '../core/client.js';
import type { ProgressEvents } from '../core/events.js';
import { signals } from './arguments.js';
import { callEvents, type CallEvents } from './events.js';

/** What every call takes. */
export interface CallOptions {
  /**
   * Aborts this call, and no other: with a `ManifestToolError` INTERRUPTED whose `cause` is the
   * reason of the signal. Of several signals, the first that is aborted ends the call. On Node 20
   * use an array instead of `AbortSignal.any`, which may never abort for an `AbortSignal.timeout`
   * that nothing else refers to.
   */
  readonly signal?: AbortSignal | readonly AbortSignal[];
  /** Receives what happens during this call. */
  readonly events?: CallEvents;
}

/** Readers for {@link CallOptions}. */
export const callMembers = { signal: signals, events: callEvents };

/** A call in progress: the core's client with the signal of the call, and where it reports to. */
export interface Call {
  readonly client: Client;
  readonly events: ProgressEvents;
}
