import type { Context } from '../command.js';
import { COMMIT, versionLine } from '../commit.js';

/** Prints the version, as `--version` does. */
export async function run({ io }: Context<'version'>): Promise<void> {
  io.stdout.write(versionLine(COMMIT));
}
