import { readdirSync, readlinkSync, realpathSync } from 'node:fs';

/** The files below a directory that this process has open. */
export function openFiles(directory: string): string[] {
  const below = `${realpathSync(directory)}/`;
  const files = readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)];
    } catch {
      // The descriptor of the listing itself.
      return [];
    }
  });
  return files.filter((file) => file.startsWith(below)).toSorted();
}
