import { LayoutFolder, type Entry } from '../../support/layout.js';

/** A layout with three images, each under a tag of its own (`amd64`, `armv6`, `armv7`), and the tag `list` of all of them; `variants` has arm/v5 and arm/v6, not v7. */
export interface ListLayout {
  readonly layout: LayoutFolder;
  /** Entries with platforms. */
  readonly amd64: Entry;
  readonly armV7: Entry;
}

export async function makeListLayout(): Promise<ListLayout> {
  const layout = await LayoutFolder.make();
  const entry = async (architecture: string, variant?: string): Promise<Entry> => {
    const platform = { os: 'linux', architecture, ...(variant !== undefined && { variant }) };
    const { mediaType, digest, size } = await layout.image(platform, []);
    await layout.tag({ mediaType, digest, size }, `${architecture}${variant ?? ''}`);
    return { mediaType, digest, size, platform };
  };
  const amd64 = await entry('amd64');
  const armV6 = await entry('arm', 'v6');
  const armV7 = await entry('arm', 'v7');
  await layout.tag(await layout.index([amd64, armV6, armV7]), 'list');
  const armV5 = await entry('arm', 'v5');
  await layout.tag(await layout.index([amd64, armV5, armV6]), 'variants');
  return { layout, amd64, armV7 };
}
