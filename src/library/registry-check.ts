import { checkRegistry as checkCore } from '../check-registry/check-registry.js';
import type { CheckResult } from '../check-registry/check.js';
import { ownSignal } from '../core/own-signal.js';
import { ManifestToolError } from '../errors.js';
import { formatReference, type Reference } from '../oci/reference.js';
import { boolean, object, type Read } from './arguments.js';
import { callMembers, type Call, type CallOptions } from './call.js';
import { plain } from './data.js';

/** How to check a registry. */
export interface CheckRegistryOptions extends CallOptions {
  /**
   * Writes only to the repository that is named, under tags of its own, instead of creating
   * repositories beside it; the default is false.
   */
  readonly tagsOnly?: boolean;
  /** Also finds the size limit of a manifest; the default is false. */
  readonly limits?: boolean;
}

/** Checks {@link CheckRegistryOptions}. */
export const checkRegistryOptions = object({
  ...callMembers,
  tagsOnly: boolean,
  limits: boolean,
} satisfies Record<keyof CheckRegistryOptions, unknown>);

/** How large a manifest may be, in bytes. */
export interface ManifestLimit {
  /** The largest size that was accepted. */
  readonly accepted: number;
  /** The smallest size that was refused, with the answer; absent if none was refused. */
  readonly refused?: { readonly size: number; readonly words: string };
}

/** What a registry supports. */
export interface RegistryReport {
  /**
   * `host/repository` of each repository that was written to; the one for the mount is the last.
   */
  readonly repositories: readonly string[];
  /** In the order of docs/reference/check-registry.md. */
  readonly checks: readonly CheckResult[];
  /** If it was asked for and found. */
  readonly limit?: ManifestLimit;
  /** References of what was pushed and could not be deleted. */
  readonly leftovers: readonly string[];
}

/** The signal ends the check, and the client of the call goes on to delete what it has written. */
export async function checkRegistry(
  { client, events }: Call,
  target: Reference,
  { tagsOnly = false, limits = false, signal: signals = [] }: Read<typeof checkRegistryOptions>,
): Promise<RegistryReport> {
  if (target.kind !== 'registry') {
    const what = `checking ${formatReference(target)}`;
    throw new ManifestToolError('USAGE', what, 'it is not a repository of a registry', {
      hint: 'name one: host/repository',
    });
  }
  const { signal, detach } = ownSignal(signals);
  try {
    return plain(await checkCore(client, target, { tagsOnly, limits, signal }, events));
  } finally {
    detach();
  }
}
