import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import { isAttestation } from '../../oci/attestation.js';
import {
  Companions,
  companionsIn,
  companionsOf,
  imageEntries,
  withoutAttestations,
} from '../../oci/companions.js';
import type { FetchedIndex, FetchedManifest, ImageReader } from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import type { Annotations, Descriptor } from '../../oci/descriptor.js';
import type { ImageManifest } from '../../oci/documents.js';
import { IndexWalker, ManifestCache, type IndexGraph, type ReadEntry } from '../../oci/graph.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import { isArtifact } from '../../oci/image-config.js';
import { unfoldedEntries, walkNested } from '../../oci/nested-index.js';
import { present } from '../../oci/json/fields.js';
import { formatPlatform, type Platform } from '../../oci/platform.js';
import {
  formatReference,
  withDefaultTag,
  withSuffix,
  type Reference,
} from '../../oci/reference.js';
import { entryKey, listEntries, matchingEntries, selectEntry } from '../../oci/select-entry.js';
import { countOf } from '../../text.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { readNamed } from '../read/read-named.js';
import type { WaitPolicy } from '../wait.js';
import type { OnManifest } from './publisher.js';
import { configPlatform, entryPlatform, namedPlatform } from './entry-platform.js';
import type { IndexRequest, RequestedPlatform, SourceRequest } from './request.js';
import type { ResolvedImage } from './resolved-image.js';

/** The part of a request that says which images it is about. */
export type ResolveRequest = Pick<
  IndexRequest,
  'target' | 'sources' | 'platforms' | 'ignoreMissing' | 'dropAttestations'
>;

/** How sources are read, and who is notified. */
export interface Reading {
  readonly onManifest: OnManifest;
  readonly wait: WaitPolicy;
  readonly events: ProgressEvents;
  /** Called for each index that is a source or inside one, with its reference. */
  readonly onIndex?: (name: string, index: FetchedIndex, source: ImageReader) => void;
  /** Called for each source with its reference and what that points to. */
  readonly onSource?: (name: string, digest: Digest) => void;
}

/**
 * Finds all images of a request, in its order; an index gives those of its entries and of indexes
 * inside it. Everything that can be read at the same time is.
 * @throws {ManifestToolError} NOT_FOUND for an image that does not exist; FAILED for an index
 * beyond the limits of {@link IndexWalker}, or with an entry that is neither an image nor an index;
 * what the readers throw. All sources that are not found are in one error; of other failures, that
 * of the first source is thrown.
 */
export async function resolveSources(
  client: Pick<Client, 'open' | 'signal'>,
  request: ResolveRequest,
  reading: Reading,
): Promise<ResolvedImage[]> {
  const opened = await Promise.all(
    request.sources.map(async (source) => ({
      source,
      reader: await client.open(source.reference, 'pull'),
    })),
  );
  const resolver = new Resolver(request, reading, client.signal);
  const missing = new Map<number, Missing>();
  const resolved = await mapInOrder(opened, async ({ source, reader }, position) => {
    try {
      return await resolver.source(source, reader, request.ignoreMissing === true);
    } catch (error) {
      if (!(error instanceof ManifestToolError) || error.code !== 'NOT_FOUND') throw error;
      missing.set(position, { name: formatReference(withDefaultTag(source.reference)), error });
      return [];
    }
  });
  refuseMissing(
    request,
    request.sources.flatMap((_, position) => missing.get(position) ?? []),
  );
  const images = withoutRepetitions(resolved.flat());
  refuseUnservedPlatforms(request, images, resolver.offered, reading.events);
  if (images.length === 0) {
    throw new ManifestToolError(
      'NOT_FOUND',
      `publishing ${formatReference(request.target)}`,
      'none of its images was found',
      { reason: 'none-found' },
    );
  }
  return images;
}

/** A source that was not found. */
interface Missing {
  readonly name: string;
  readonly error: ManifestToolError;
}

/** @throws {ManifestToolError} NOT_FOUND that names each source that was not found. */
function refuseMissing({ target, sources }: ResolveRequest, missing: readonly Missing[]): void {
  const [first] = missing;
  if (first === undefined) return;
  if (missing.every(({ error }) => error.message === first.error.message)) throw first.error;
  const byReason = new Map<string, Set<string>>();
  for (const { name, error } of missing)
    byReason.set(error.why, (byReason.get(error.why) ?? new Set()).add(name));
  const reasons = [...byReason].map(([why, names]) => `${[...names].join(', ')}: ${why}`);
  throw new ManifestToolError(
    'NOT_FOUND',
    `publishing ${formatReference(target)}`,
    `${missing.length} of ${sources.length} sources were not found: ${reasons.join('; ')}`,
    { cause: first.error, reason: 'sources-missing' },
  );
}

/** Sources may overlap: an entry that several of them have is one entry. */
function withoutRepetitions(images: readonly ResolvedImage[]): ResolvedImage[] {
  const byKey = new Map<string, ResolvedImage>();
  for (const image of images) {
    const key = `${image.entry.digest} ${entryKey(image.entry)}`;
    if (!byKey.has(key)) byKey.set(key, image);
  }
  return [...byKey.values()];
}

/**
 * Refuses platforms that no source has; only warns of them if what is missing is left out.
 * @throws {ManifestToolError} NOT_FOUND that names them, and the platforms that there are.
 */
function refuseUnservedPlatforms(
  { target, platforms = [], ignoreMissing }: ResolveRequest,
  images: readonly ResolvedImage[],
  offered: readonly Descriptor[],
  events: ProgressEvents,
): void {
  const entries = images.map(({ entry }) => entry);
  const unserved = platforms.filter((platform) => matchingEntries(platform, entries).length === 0);
  if (unserved.length === 0) return;
  const names = unserved.map(formatPlatform).join(', ');
  const why = `no source is for ${names}; there are ${listEntries([...entries, ...offered])}`;
  if (ignoreMissing !== true) {
    const what = `publishing ${formatReference(target)}`;
    throw new ManifestToolError('NOT_FOUND', what, why, { reason: 'platform-not-found' });
  }
  events.warning?.(why);
}

class Resolver {
  /** The entries of the indexes from which requested platforms were selected. */
  readonly offered: Descriptor[] = [];
  private readonly manifests = new Map<ImageReader, ManifestCache>();
  private readonly reported = new Set<FetchedManifest>();
  private readonly roots = new Map<string, Promise<FetchedManifest>>();
  /** By the digest of the config: its content is the same wherever it is read. */
  private readonly platforms = new Map<Digest, Promise<Platform | undefined>>();

  constructor(
    private readonly request: ResolveRequest,
    private readonly reading: Reading,
    private readonly signal: AbortSignal,
  ) {}

  async source(
    source: SourceRequest,
    reader: ImageReader,
    ignoreMissing: boolean,
  ): Promise<ResolvedImage[]> {
    const name = formatReference(withDefaultTag(source.reference));
    const found = await this.find(source, reader, name, ignoreMissing);
    if (found === undefined) return [];
    if ('image' in found) return this.image(source, reader, found.image, name);
    const entries =
      this.request.dropAttestations === true ? withoutAttestations(found.entries) : found.entries;
    const images = await this.entries(entries, reader, source.reference, name);
    const companions = new Companions(images.map(({ entry }) => entry));
    return images.map((image) => ({
      ...image,
      index: name,
      ...(companions.has(image.entry)
        ? {}
        : { entry: withAnnotations(image.entry, source.annotations) }),
    }));
  }

  /** Reads the manifest that a source names, and of an index selects the requested entries. */
  private async find(
    source: SourceRequest,
    reader: ImageReader,
    name: string,
    ignoreMissing: boolean,
  ): Promise<
    { readonly image: FetchedImage } | { readonly entries: readonly Descriptor[] } | undefined
  > {
    try {
      const root = await this.root(source, reader, name);
      refuseUnexpected(source, root, name);
      this.reading.onSource?.(name, root.digest);
      const { document } = root;
      if (document.kind === 'manifest') return { image: { ...root, document } };
      const { manifests } = document;
      if (manifests.length === 0) throw emptyIndex(name);
      if (source.onlyPlatform !== true) {
        this.reading.onIndex?.(name, { ...root, document }, reader);
        return { entries: await this.requested(name, manifests, reader) };
      }
      const platform = completePlatform(source, name);
      const what = `including ${name}`;
      const entries = unfoldedEntries(await this.nested(what, manifests, reader));
      const entry = selectEntry(what, platform, entries, this.reading.events);
      return { entries: [entry, ...companionsOf(entry.digest, entries)] };
    } catch (error) {
      const isMissing = error instanceof ManifestToolError && error.code === 'NOT_FOUND';
      if (!ignoreMissing || !isMissing) throw error;
      this.reading.events.warning?.(`${name} is skipped: ${error.why}`);
      return undefined;
    }
  }

  /** Of the entries of an index, those for the requested platforms, with what belongs to them. */
  private async requested(
    name: string,
    manifests: readonly Descriptor[],
    reader: ImageReader,
  ): Promise<readonly Descriptor[]> {
    const { platforms } = this.request;
    if (platforms === undefined) return manifests;
    const what = `including ${name}`;
    const graph = await this.nested(what, manifests, reader);
    graph.fold(({ manifest }) => manifest && this.reportIndex(manifest, reader));
    const entries = unfoldedEntries(graph);
    this.offered.push(...imageEntries(entries));
    const selected = platforms
      .filter((platform) => matchingEntries(platform, entries).length > 0)
      .map((platform) => selectEntry(what, platform, entries, this.reading.events));
    const digests = selected.map(({ digest }) => digest);
    const kept = new Set([...selected, ...companionsIn(entries).of(digests)]);
    return entries.filter((entry) => kept.has(entry));
  }

  /** The indexes inside an index from which a platform is selected. */
  private nested(
    what: string,
    manifests: readonly Descriptor[],
    reader: ImageReader,
  ): Promise<IndexGraph<void>> {
    return walkNested(manifests, {
      what,
      signal: this.signal,
      beyondLimit: 'throw',
      manifests: this.manifestsOf(reader),
    });
  }

  /** Reports an index inside an index, once. */
  private reportIndex(index: FetchedManifest, reader: ImageReader): void {
    const { document } = index;
    if (document.kind !== 'index' || this.reported.has(index)) return;
    this.reported.add(index);
    this.reading.onIndex?.(`${reader.name}@${index.digest}`, { ...index, document }, reader);
  }

  /** A reference that several platforms name is read once. */
  private root(source: SourceRequest, reader: ImageReader, name: string): Promise<FetchedManifest> {
    const platform = source.onlyPlatform === true ? (source.platform as Platform) : undefined;
    const key =
      platform === undefined || reader.manifestsNamed === undefined
        ? name
        : `${name} ${formatPlatform(platform)}`;
    const reading =
      this.roots.get(key) ??
      this.reading.wait.until(() =>
        readNamed(reader, source.reference, platform, this.reading.events),
      );
    this.roots.set(key, reading);
    return reading;
  }

  /** The image that a source names; nothing if it is an attestation to be dropped. */
  private async image(
    { platform: requested = {}, annotations }: SourceRequest,
    source: ImageReader,
    manifest: FetchedImage,
    name: string,
  ): Promise<ResolvedImage[]> {
    const { mediaType, digest, size } = manifest;
    const bare = withAnnotations({ mediaType, digest, size }, annotations);
    if (this.request.dropAttestations === true && isAttestation(bare)) return [];
    this.reading.onManifest(manifest, source);
    const platform = await this.platform(requested, source, manifest.document, name);
    const entry = {
      ...bare,
      ...present('platform', platform),
      ...present('artifactType', manifest.document.artifactType || undefined),
    };
    return [{ entry, manifest, source, name, isNamed: true }];
  }

  /** The platform of a named source; undefined for an artifact that has none. */
  private async platform(
    requested: RequestedPlatform,
    source: ImageReader,
    manifest: ImageManifest,
    name: string,
  ): Promise<Platform | undefined> {
    const { os, architecture } = requested;
    if (os === 'unknown' && architecture === 'unknown') return { ...requested, os, architecture };
    const config = await this.configPlatform(source, manifest, name);
    if (isArtifact(manifest) && Object.keys(requested).length === 0) return complete(config);
    return entryPlatform(requested, config, name, (text) => this.reading.events.warning?.(text));
  }

  /** The images of an index, in its order. */
  private async entries(
    descriptors: readonly Descriptor[],
    reader: ImageReader,
    reference: Reference,
    name: string,
  ): Promise<ResolvedImage[]> {
    const what = `including ${name}`;
    const walker = new IndexWalker<ResolvedImage | undefined>({
      what,
      signal: this.signal,
      beyondLimit: 'throw',
      manifests: this.manifestsOf(reader),
      visit: (entry, read) =>
        this.entry(entry, read, reader, what, formatReference(withSuffix(reference, entry.digest))),
    });
    const graph = await walker.walk(descriptors);
    return graph
      .fold<readonly ResolvedImage[]>(({ value }, inner) => [
        ...(value === undefined ? [] : [value]),
        ...inner.flat(),
      ])
      .flat();
  }

  /** Sources in one repository share what is read of it. */
  private manifestsOf(reader: ImageReader): ManifestCache {
    const { wait, onManifest } = this.reading;
    const manifests =
      this.manifests.get(reader) ??
      new ManifestCache(async (entry) => {
        const manifest = await wait.until(() => reader.getManifest(entry.digest, entry));
        if (manifest.document.kind === 'manifest') onManifest(manifest, reader);
        return manifest;
      });
    this.manifests.set(reader, manifests);
    return manifests;
  }

  /** The image of an entry; undefined if it names an index, or is an attestation to be dropped. */
  private async entry(
    entry: Descriptor,
    read: ReadEntry,
    source: ImageReader,
    what: string,
    name: string,
  ): Promise<ResolvedImage | undefined> {
    if (this.request.dropAttestations === true && isAttestation(entry)) return undefined;
    if (!isManifestType(entry.mediaType) && !isIndexType(entry.mediaType)) {
      throw new ManifestToolError(
        'FAILED',
        what,
        `its entry ${entry.digest} is of type ${entry.mediaType}, which is neither an image nor an index`,
        { reason: 'entry-not-an-image' },
      );
    }
    const manifest = await read();
    if (manifest !== undefined) this.reportIndex(manifest, source);
    if (manifest?.document.kind !== 'manifest') return undefined;
    const { platform: _, ...bare } = entry;
    const platform = await this.listedPlatform(entry, source, manifest.document, name);
    return {
      entry: platform === undefined ? bare : { ...bare, platform },
      manifest,
      source,
      name,
      ...(complete(entry.platform) === undefined ? {} : { isPlatformListed: true }),
    };
  }

  /** The platform of an entry of an index, or else that of its config, if either names one. */
  private async listedPlatform(
    entry: Descriptor,
    source: ImageReader,
    manifest: ImageManifest,
    name: string,
  ): Promise<Platform | undefined> {
    const listed = complete(entry.platform);
    if (listed !== undefined) return listed;
    if (isAttestation(entry)) return undefined;
    const config = complete(await this.configPlatform(source, manifest, name));
    return config && namedPlatform(config, name, (text) => this.reading.events.warning?.(text));
  }

  private configPlatform(
    reader: ImageReader,
    manifest: ImageManifest,
    name: string,
  ): Promise<Platform | undefined> {
    const { digest } = manifest.config;
    const reading =
      this.platforms.get(digest) ??
      this.reading.wait.until(() => configPlatform(reader, manifest, name));
    this.platforms.set(digest, reading);
    return reading;
  }
}

/** @throws {ManifestToolError} REFUSED if a manifest is not what the descriptor of a source says. */
function refuseUnexpected(
  { expected = {} }: SourceRequest,
  { mediaType, size }: FetchedManifest,
  name: string,
): void {
  const isType = [undefined, mediaType].includes(expected.mediaType);
  if (isType && [undefined, size].includes(expected.size)) return;
  const why = isType
    ? `it has ${countOf(size, 'byte')}, but its descriptor says ${expected.size}`
    : `it is of type ${mediaType}, but its descriptor says ${expected.mediaType}`;
  throw new ManifestToolError('REFUSED', `including ${name}`, why, {
    hint: 'correct the descriptor, or give only its digest',
  });
}

function emptyIndex(name: string): ManifestToolError {
  const why = 'it is an index with no entries';
  return new ManifestToolError('FAILED', `including ${name}`, why, {
    hint: 'use an image, or an index that has entries',
  });
}

/** @throws {ManifestToolError} USAGE if the platform is too incomplete to select an entry. */
function completePlatform({ platform = {} }: SourceRequest, name: string): Platform {
  const { os, architecture } = platform;
  if (os !== undefined && architecture !== undefined) return { ...platform, os, architecture };
  const missing = os === undefined ? 'os' : 'architecture';
  const why = `it is an index, but the platform to select from it has no ${missing}`;
  throw new ManifestToolError('USAGE', `including ${name}`, why, {
    hint: 'specify both os and architecture, or no platform to add all entries of the index',
  });
}

/** A platform that names both os and architecture, as an entry needs it. */
function complete(platform: Platform | undefined): Platform | undefined {
  return platform?.os && platform.architecture ? platform : undefined;
}

function withAnnotations(entry: Descriptor, annotations: Annotations | undefined): Descriptor {
  if (annotations === undefined || annotations.size === 0) return entry;
  return { ...entry, annotations: new Map([...(entry.annotations ?? []), ...annotations]) };
}

type FetchedImage = FetchedManifest & { readonly document: ImageManifest };
