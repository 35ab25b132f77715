import { annotateIndex } from '../../core/edit/annotate.js';
import { isEmptySelection } from '../../core/edit/index-edits.js';
import { checkPlatform, properPlatform, type Platform } from '../../oci/platform.js';
import { defined, usageError, type Options } from '../args/values.js';
import type { Run } from '../command.js';
import { editRequest, selectedEntries } from '../options/editing.js';
import { annotationsAt } from '../options/publishing.js';
import { editJob, runJobs } from './publishing.js';

/** `annotate REF [--platform P or --digest D] …`. */
export const run: Run<'annotate'> = async (context) => {
  const { args } = context;
  const entries = selectedEntries(args);
  const level = isEmptySelection(entries) ? 'index' : 'manifest-descriptor';
  const changes = { platform: platformChanges(args), annotations: annotationsAt(level, args) };
  const changesPlatform = Object.keys(changes.platform).length > 0;
  if (!changesPlatform && changes.annotations.size === 0) {
    throw usageError(
      'annotate needs a change',
      'pass --annotation KEY=VALUE for the index, or --platform P --variant V for an entry',
    );
  }
  if (changesPlatform && isEmptySelection(entries)) {
    throw usageError(
      'annotate changes the platform of an entry, but no entry is selected',
      `add --platform P or --digest DIGEST; "manifest-tool digest --all ${args.reference}" lists the entries`,
    );
  }
  const request = { ...editRequest(args), entries, changes };
  const job = editJob(request, (client, reporter) => annotateIndex(client, request, reporter));
  await runJobs([job], context);
};

function platformChanges(
  args: Options<'os' | 'arch' | 'variant' | 'os-version' | 'os-features'>,
): Partial<Platform> {
  const { os, arch, variant, osVersion, osFeatures } = args;
  if (os !== undefined || arch !== undefined) {
    const platform = properPlatform({ os: os ?? 'linux', architecture: arch ?? 'amd64' });
    checkPlatform(platform, 'reading --os and --arch');
  }
  return defined({
    os,
    architecture: arch,
    variant,
    osVersion,
    osFeatures: osFeatures.length === 0 ? undefined : osFeatures,
  });
}
