import { readdirSync, readlinkSync, realpathSync } from 'node:fs';

/** The files below a directory that this process has open; none except on Linux. */
export function openFiles(directory: string): string[] {
  // Elsewhere the entries of a directory of descriptors are not links.
  if (process.platform !== 'linux') return [];
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
