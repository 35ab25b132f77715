/** Put in by `scripts/build/build.mjs`; not defined where the sources run unbuilt. */
declare const MANIFEST_TOOL_COMMIT: string | undefined;

/** The commit that the program was built from, with `-dirty` where files differed from it; empty where there was none. */
export const COMMIT: string =
  typeof MANIFEST_TOOL_COMMIT === 'undefined' ? '' : MANIFEST_TOOL_COMMIT;
