import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FakeRegistry, Stored } from './fake-registry.js';
import { makeImage, OCI_INDEX, stored } from './fake-registry.js';
import { sha256 } from '../../support/http.js';

/** A graph of manifests that is small in bytes and large when every name in it is followed. */
export interface Shape {
  /** What the tag names. */
  readonly root: Stored;
  /** All manifests, the root among them. */
  readonly manifests: readonly Stored[];
  readonly blobs: readonly Buffer[];
}

interface ShapeOptions {
  /** Entries of each index. */
  readonly entries: number;
  /** Indexes from the root to the image, the root among them. */
  readonly levels: number;
  /** Different indexes on each level below the root; each of them names all of the next level. */
  readonly perLevel?: number;
  /** Gives the entries of the last index, which name an image, its platform. */
  readonly hasPlatform?: boolean;
}

/** Indexes in indexes, each of which names those of the next level over and over, down to one image. */
export function shapeOf(options: ShapeOptions): Shape {
  const { entries, levels, perLevel = 1, hasPlatform = true } = options;
  const image = makeImage({ oci: true });
  const manifests: Stored[] = [image];
  const platform = hasPlatform ? { os: 'linux', architecture: 'amd64' } : undefined;
  let below: readonly (Stored & { platform?: object | undefined })[] = [{ ...image, platform }];
  for (let level = levels; level > 0; level -= 1) {
    const targets = below;
    const count = level === 1 ? 1 : perLevel;
    below = Array.from({ length: count }, (_, i) => indexOf(entries, targets, `${level}.${i}`));
    manifests.push(...below);
  }
  return { root: below[0]!, manifests, blobs: [image.config, image.layer] };
}

function indexOf(
  count: number,
  targets: readonly (Stored & { platform?: object | undefined })[],
  name: string,
): Stored {
  const manifests = Array.from({ length: count }, (_, i) => {
    const { mediaType, digest, bytes, platform } = targets[i % targets.length]!;
    return { mediaType, digest, size: bytes.length, platform };
  });
  const annotations = { name };
  return stored(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests, annotations });
}

/** Writes a shape as an OCI image layout, under the tag `root`. */
export function writeLayout(folder: string, { root, manifests, blobs }: Shape): string {
  const directory = path.join(folder, 'blobs/sha256');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  for (const bytes of [...manifests.map((each) => each.bytes), ...blobs])
    writeFileSync(path.join(directory, sha256(bytes).slice('sha256:'.length)), bytes);
  const { mediaType, digest, bytes } = root;
  const annotations = { 'org.opencontainers.image.ref.name': 'root' };
  const entry = { mediaType, digest, size: bytes.length, annotations };
  const index = { schemaVersion: 2, manifests: [entry] };
  writeFileSync(path.join(folder, 'index.json'), JSON.stringify(index));
  return `oci-layout://${folder}:root`;
}

/** Puts a shape into a repository, under the tag `root`. */
export function addToRegistry(
  registry: FakeRegistry,
  repository: string,
  { root, manifests, blobs }: Shape,
): void {
  for (const bytes of blobs) registry.blobs.set(`${repository}@${sha256(bytes)}`, bytes);
  for (const each of manifests) registry.manifests.set(`${repository}@${each.digest}`, each);
  registry.addManifest(repository, 'root', root);
}
