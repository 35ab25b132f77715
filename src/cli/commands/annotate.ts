import type { Platform } from '../../oci/platform.js';
import { checkPlatform } from '../../oci/platform.js';
import { annotateIndex } from '../../core/edit/annotate.js';
import type { Parsed } from '../command.js';
import { edit, selection } from './shared/edit.js';
import type { Io } from '../io.js';
import { singleAnnotations } from '../options/publishing.js';
import type { Reporter } from '../progress/reporter.js';
import { items, value } from '../options/connection.js';
import { usageError } from '../args/usage.js';

/** `annotate REF [--platform P or --digest D] …`. */
export async function run(parsed: Parsed, io: Io, reporter: Reporter): Promise<void> {
  const entries = selection(parsed);
  const changes = { platform: platformChanges(parsed), annotations: singleAnnotations(parsed) };
  const changesPlatform = Object.keys(changes.platform).length > 0;
  if (!changesPlatform && changes.annotations.size === 0) {
    throw usageError('annotate has nothing to change', 'see annotate --help');
  }
  if (changesPlatform && entries.platforms.length + entries.digests.length === 0) {
    throw usageError('the platform of which entry?', 'give --platform or --digest');
  }
  await edit(parsed, io, reporter, (client, request) =>
    annotateIndex(client, { ...request, entries, changes }, reporter),
  );
}

function platformChanges(parsed: Parsed): Partial<Platform> {
  const [os, architecture] = [value(parsed, 'os'), value(parsed, 'arch')];
  const [variant, osVersion] = [value(parsed, 'variant'), value(parsed, 'os-version')];
  const osFeatures = items(parsed, 'os-features');
  const changes = {
    ...(os === undefined ? {} : { os }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
    ...(osFeatures.length === 0 ? {} : { osFeatures }),
  };
  if (os !== undefined || architecture !== undefined) {
    const whole = { os: os ?? 'linux', architecture: architecture ?? 'amd64' };
    checkPlatform(whole, 'reading --os and --arch');
  }
  return changes;
}
