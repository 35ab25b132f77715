import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { putBlob, putManifest, type HttpOptions } from './http.js';

interface Repository {
  /** Base64 by digest. */
  readonly blobs: Readonly<Record<string, string>>;
  readonly manifests: Readonly<
    Record<string, { readonly mediaType: string; readonly body: string }>
  >;
  /** Digests by tag. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface SeedOptions extends HttpOptions {
  /** Only these (default: all). */
  readonly repositories?: readonly string[];
}

const CONCURRENCY = 8;

/** The recorded images: names of repositories, and what is in them. */
export const PARITY_IMAGES = JSON.parse(readFixture('images.json')) as Readonly<
  Record<string, Repository>
>;

/** The text of a file of fixtures/parity. */
export function readFixture(name: string): string {
  return readFileSync(
    fileURLToPath(new URL(`../../fixtures/parity/${name}`, import.meta.url)),
    'utf8',
  );
}

/** Pushes the recorded images into a registry; what is there already does no harm. */
export async function seedParityImages(host: string, options: SeedOptions = {}): Promise<void> {
  const names = options.repositories ?? Object.keys(PARITY_IMAGES);
  const repositories = names.map((name) => {
    const repository = PARITY_IMAGES[name];
    if (repository === undefined) throw new Error(`fixtures/parity has no repository ${name}`);
    return { name, ...repository };
  });
  await each(
    repositories.flatMap(({ name, blobs }) =>
      Object.values(blobs).map((base64) => () => {
        return putBlob(host, name, Buffer.from(base64, 'base64'), options);
      }),
    ),
  );
  const put = (isIndex: boolean): (() => Promise<string>)[] =>
    repositories.flatMap(({ name, manifests }) =>
      Object.entries(manifests)
        .filter(([, { mediaType }]) => /list|index/.test(mediaType) === isIndex)
        .map(([digest, { mediaType, body }]) => () => {
          return putManifest(host, name, digest, mediaType, Buffer.from(body), options);
        }),
    );
  // A registry takes an index only where its children are.
  await each(put(false));
  await each(put(true));
  await each(
    repositories.flatMap(({ name, manifests, tags }) =>
      Object.entries(tags).map(([tag, digest]) => () => {
        const { mediaType, body } = manifests[digest]!;
        return putManifest(host, name, tag, mediaType, Buffer.from(body), options);
      }),
    ),
  );
}

/** Runs all tasks, a few at a time. */
async function each(tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  const left = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of left) await task();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
