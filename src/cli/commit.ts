import { VERSION } from '../version.js';

/** Defined by `scripts/build/build.mjs`; not defined when the sources run unbuilt. */
declare const MANIFEST_TOOL_COMMIT: string | undefined;

/** The commit of the build, with `-dirty` if files differed from it; empty if there was none. */
export const COMMIT: string =
  typeof MANIFEST_TOOL_COMMIT === 'undefined' ? '' : MANIFEST_TOOL_COMMIT;

/** The line of `version` and `--version`: the version is the third word, as in manifest-tool v2. */
export function versionLine(commit: string): string {
  return `manifest-tool version ${VERSION}${commit === '' ? '' : ` (commit ${commit})`}\n`;
}
