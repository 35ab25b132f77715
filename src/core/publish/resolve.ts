import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Descriptor, ImageManifest } from '../../oci/documents.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import type { Platform } from '../../oci/platform.js';
import {
  formatReference,
  tagOrDigestOf,
  withDefaultTag,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import { configPlatform, entryPlatform } from './entry-platform.js';
import type { PlanEvents } from '../events.js';
import { mapConcurrent } from '../../concurrency.js';
import { selectEntry } from '../../oci/select-entry.js';
import type { OnManifest } from './publisher.js';
import type { IndexRequest, RequestedPlatform, SourceRequest } from './request.js';
import type { ResolvedImage } from './resolved.js';
import type { Client } from '../client.js';
import type { WaitPolicy } from '../wait.js';

/** How many lists may stand inside each other: a list of a list is unfolded, anything deeper is refused. */
const MAX_DEPTH = 2;

/** As much of a request as is needed to find its images. */
export type ResolveRequest = Pick<
  IndexRequest,
  'target' | 'sources' | 'ignoreMissing' | 'dropAttestations'
>;

/** What goes with the reading of images. */
export interface Reading {
  readonly onManifest: OnManifest;
  readonly wait: WaitPolicy;
  readonly events: PlanEvents;
}

/**
 * Finds all images of a request, with as few round trips after each other as there are: manifests together, then configurations and the
 * children of lists together. The order of the result is that of the request.
 * @throws {ManifestToolError} NOT_FOUND for an image that is not there; what the readers throw otherwise.
 */
export async function resolveSources(
  client: Pick<Client, 'open'>,
  request: ResolveRequest,
  reading: Reading,
): Promise<ResolvedImage[]> {
  const opened = await Promise.all(
    request.sources.map(async (source) => ({
      source,
      reader: await client.open(source.reference, 'pull'),
    })),
  );
  const resolver = new Resolver(request, reading);
  const resolved = await allOrFirstInOrder(opened, ({ source, reader }) =>
    resolver.source(source, reader, request.ignoreMissing === true),
  );
  const images = resolved.flat();
  if (images.length === 0) {
    throw new ManifestToolError(
      'NOT_FOUND',
      `publishing ${formatReference(request.target)}`,
      'not one of its images was found',
      { hint: 'check the names in the warnings; --wait TIME waits for what may still appear' },
    );
  }
  return images;
}

/** The values of all, or the first failure in the order of the list and not in that of time: the same input gives the same message. */
async function allOrFirstInOrder<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const outcomes = await mapConcurrent(items, (item) =>
    work(item).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  return outcomes.map((outcome) => {
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  });
}

class Resolver {
  private readonly fetched = new Map<string, Promise<FetchedManifest>>();
  /** Platforms by the digests of configurations: what they hold does not depend on where they were read. */
  private readonly platforms = new Map<Digest, Promise<Platform>>();

  constructor(
    private readonly request: ResolveRequest,
    private readonly reading: Reading,
  ) {}

  /** A manifest, as soon as it is there. */
  private read(
    reader: ImageReader,
    tagOrDigest: string,
    expected?: Descriptor,
  ): Promise<FetchedManifest> {
    return this.reading.wait.until(() => reader.getManifest(tagOrDigest, expected));
  }

  async source(
    source: SourceRequest,
    reader: ImageReader,
    ignoreMissing: boolean,
  ): Promise<ResolvedImage[]> {
    const name = formatReference(withDefaultTag(source.reference));
    const found = await this.find(source, reader, name, ignoreMissing);
    if (found === undefined) return [];
    if (found.entries === undefined) {
      return [await this.image(reader, asImage(found.top), name, source.platform ?? {})];
    }
    return this.list(reader, found.entries, name, source.reference, 1);
  }

  /** The manifest that the user named, and where it is a list, the entries of it that are wanted. */
  private async find(
    source: SourceRequest,
    reader: ImageReader,
    name: string,
    ignoreMissing: boolean,
  ): Promise<{ top: FetchedManifest; entries?: readonly Descriptor[] } | undefined> {
    try {
      const top = await this.top(source, reader, name);
      if (top.document.kind === 'manifest') return { top };
      const entries =
        source.onlyPlatform === true
          ? selectEntry(source.platform as Platform, top.document, name)
          : top.document.manifests;
      return { top, entries };
    } catch (error) {
      const isMissing = error instanceof ManifestToolError && error.code === 'NOT_FOUND';
      if (!ignoreMissing || !isMissing) throw error;
      this.reading.events.warning?.(`${name} is left out: ${error.why}`);
      return undefined;
    }
  }

  /** A reference that is named for several platforms is read once. */
  private top(source: SourceRequest, reader: ImageReader, name: string): Promise<FetchedManifest> {
    const fetching = this.fetched.get(name) ?? this.read(reader, tagOrDigestOf(source.reference));
    this.fetched.set(name, fetching);
    return fetching;
  }

  private async image(
    reader: ImageReader,
    manifest: FetchedManifest & { document: ImageManifest },
    name: string,
    request: RequestedPlatform,
  ): Promise<ResolvedImage> {
    this.reading.onManifest(manifest, reader);
    const config = await this.configPlatform(reader, manifest.document, name);
    const platform = entryPlatform(request, config, name, (text) =>
      this.reading.events.warning?.(text),
    );
    const { mediaType, digest, size } = manifest;
    return { entry: { mediaType, digest, size, platform }, manifest, source: reader, name };
  }

  private configPlatform(
    reader: ImageReader,
    manifest: ImageManifest,
    name: string,
  ): Promise<Platform> {
    const { digest } = manifest.config;
    const reading =
      this.platforms.get(digest) ??
      this.reading.wait.until(() => configPlatform(reader, manifest, name));
    this.platforms.set(digest, reading);
    return reading;
  }

  /** The images of a list, in its order; `depth` counts the lists that they stand in. */
  private async list(
    reader: ImageReader,
    entries: readonly Descriptor[],
    name: string,
    reference: Reference,
    depth: number,
  ): Promise<ResolvedImage[]> {
    const wanted =
      this.request.dropAttestations === true
        ? entries.filter((entry) => !isAttestation(entry))
        : entries;
    const resolved = await allOrFirstInOrder(wanted, (entry) =>
      this.entry(reader, entry, name, reference, depth),
    );
    return resolved.flat();
  }

  private async entry(
    reader: ImageReader,
    entry: Descriptor,
    listName: string,
    reference: Reference,
    depth: number,
  ): Promise<ResolvedImage[]> {
    const name = formatReference(withSuffix(reference, entry.digest));
    if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) {
      throw new ManifestToolError(
        'FAILED',
        `including ${listName}`,
        `its entry ${entry.digest} is of type ${entry.mediaType}, which is neither an image nor a list`,
        { hint: 'name the images of it by their digests: inspect --format table shows them' },
      );
    }
    const fetched = await this.read(reader, entry.digest, entry);
    if (fetched.document.kind === 'index') {
      if (depth === MAX_DEPTH) {
        throw new ManifestToolError(
          'FAILED',
          `including ${listName}`,
          `it has lists inside of lists, more than ${MAX_DEPTH} deep`,
          { hint: 'name the lists or images inside of it by their digests' },
        );
      }
      return this.list(reader, fetched.document.manifests, name, reference, depth + 1);
    }
    const manifest = asImage(fetched);
    this.reading.onManifest(manifest, reader);
    const isPlain = entry.platform !== undefined || isAttestation(entry);
    const platform = isPlain
      ? entry.platform
      : await this.configPlatform(reader, manifest.document, name);
    const whole = platform === undefined ? entry : { ...entry, platform };
    return [{ entry: whole, manifest, source: reader, name }];
  }
}

function asImage(manifest: FetchedManifest): FetchedManifest & { document: ImageManifest } {
  return manifest as FetchedManifest & { document: ImageManifest };
}
