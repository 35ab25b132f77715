import { mapConcurrent, Semaphore } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import { Companions } from '../../oci/companions.js';
import type { FetchedManifest, ImageReader } from '../../oci/content.js';
import {
  configOf,
  hasImageConfig,
  isArtifact,
  labelsOf,
  type ImageConfig,
} from '../../oci/image-config.js';
import type { Descriptor } from '../../oci/descriptor.js';
import { digestOf, isDigest, type Digest } from '../../oci/digest.js';
import {
  AmbiguousDocument,
  type ImageDocument,
  type ImageIndex,
  type ImageManifest,
} from '../../oci/documents.js';
import { present, type FieldError } from '../../oci/json/fields.js';
import {
  IndexWalker,
  LIMIT_REASONS,
  ManifestCache,
  type GraphEntry,
  type ReadEntry,
} from '../../oci/graph.js';
import { isDocumentType, isForeignLayerType, isImageLayerType } from '../../oci/media-types.js';
import { formatPlatform, isUnknownPlatform, type Platform } from '../../oci/platform.js';
import { tagOrDigestOf, type Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { attempt, type Attempt } from './attempt.js';
import {
  duplicateEntries,
  entryPlatformDefects,
  indexDefects,
  layerDefects,
  type Defect,
} from './defects.js';
import type { ExaminedImage } from './examine-executables.js';
import type { ImageExecutables } from './executables.js';
import { requirementDefects, type ImageFacts, type Requirements } from './requirements.js';

/** What is verified, beside that everything is there. */
export interface VerifyOptions extends Requirements {
  /**
   * Reads every blob and checks its digest, instead of only checking that it exists; the default is
   * false.
   */
  readonly deep?: boolean;
  /**
   * Reads the layers and compares each file with native code (ELF, PE, Mach-O) with the platform of
   * its image; the default is false.
   */
  readonly executables?: boolean;
}

/** An entry of the index, or the image itself. */
export interface VerifiedEntry {
  /** Of the entry. */
  readonly digest: Digest;
  /** As the index has it. */
  readonly mediaType: string;
  /** Undefined if there is none, and for an attestation. */
  readonly platform: Platform | undefined;
  /** Whether it attests another entry. */
  readonly isAttestation: boolean;
  /** The number of its blobs, its config included; 1 for an entry that is a blob. */
  readonly blobs: number;
  /**
   * Defects of the entry and of everything below it; those of a manifest with its first entry only.
   */
  readonly defects: readonly Defect[];
}

/** What was found out about an image or index; it is complete if `defects` is empty. */
export interface Verification {
  /** Of the image or index. */
  readonly digest: Digest;
  /** Of the image or index. */
  readonly mediaType: string;
  /** In the order of the index; one for an image. */
  readonly entries: readonly VerifiedEntry[];
  /** All defects, each once, those of the entries included. */
  readonly defects: readonly Defect[];
  /** What is legal and probably not intended; no defect. */
  readonly warnings: readonly Defect[];
  /**
   * If blobs were read: how many foreign layers are not there. They are downloaded from other places
   * (OCI image-spec, layer.md, Non-Distributable Layers), so it is no defect.
   */
  readonly missingForeignLayers?: number;
  /** If programs were compared with platforms: of each image, those in nested indexes included. */
  readonly executables?: readonly ImageExecutables[];
}

/**
 * Verifies that everything that an image or index refers to exists: every manifest, config and
 * blob, with the right size and type; platforms that agree with the configs; attestations with what
 * they attest (OCI image-spec, descriptor.md, Verification).
 * @throws {ManifestToolError} if the image itself cannot be read, or something cannot be found out:
 * NOT_FOUND, DENIED, UNAVAILABLE, CORRUPT, INTERRUPTED. What is missing or damaged below it, or
 * more than 4 levels deep or 20,000 entries in all, is a defect and not an error.
 */
export async function verifyImage(
  client: Client,
  reference: Reference,
  options: VerifyOptions = {},
  events: ProgressEvents = {},
): Promise<Verification> {
  const reader = await client.open(reference, 'pull');
  const verifier = new Verifier(reader, options, client.signal, events);
  const root = await verifier.read(tagOrDigestOf(reference));
  events.progress?.(`verifying ${root.digest}`);
  const { digest, mediaType, document } = root;
  const { entries, images } =
    document.kind === 'index'
      ? await verifier.index(document)
      : await verifier.image(root, document);
  const index = document.kind === 'index' ? digest : undefined;
  const context = { client, reader, events, index, read: verifier.readIfWhole };
  const own = [
    ...verifier.ambiguitiesOf(root),
    ...(document.kind === 'index' ? verifier.entriesOf(digest, document) : []),
    ...(await requirementDefects(images, options, context)),
  ];
  const rows = withOwn(entries, own);
  const defects = unique([...own, ...rows.flatMap((entry) => entry.defects)]);
  const warnings = unique(verifier.warnings);
  for (const { where, what } of warnings) events.warning?.(`${where} ${what}`);
  const missingForeignLayers = options.deep === true ? verifier.missingForeign.size : undefined;
  return {
    digest,
    mediaType,
    entries: rows,
    defects,
    warnings,
    ...present('missingForeignLayers', missingForeignLayers),
    ...present('executables', options.executables === true ? verifier.executables : undefined),
  };
}

/** How many blobs are checked at the same time. */
const MAX_BLOBS = 64;

/** What is wrong with an image or index itself, whichever entry names it. */
interface CheckedManifest {
  readonly defects: readonly Defect[];
  /** Of an image: that of its config, if that can be read. */
  readonly platform?: Platform;
  /** Of an image: the labels that are required, if they can be read. */
  readonly labels?: ReadonlyMap<string, string>;
}

/** What was verified: the rows of the result, and what requirements are about. */
interface Verified {
  readonly entries: readonly VerifiedEntry[];
  readonly images: readonly ImageFacts[];
}

/** What is wrong with an entry, and with what it names. */
interface CheckedEntry {
  readonly defects: readonly Defect[];
  readonly named?: CheckedManifest;
}

class Verifier {
  readonly warnings: Defect[] = [];
  readonly executables: ImageExecutables[] = [];
  /** Digests of foreign layers that are not there. */
  readonly missingForeign = new Set<string>();
  private readonly checked = new Map<FetchedManifest, Promise<CheckedManifest>>();
  private readonly blobs = new Map<string, Promise<Attempt<void>>>();
  private readonly slots = new Semaphore(() => MAX_BLOBS);
  /** By the digest of the manifest. */
  private readonly ambiguities = new Map<string, readonly Defect[]>();
  private readonly what: string;

  constructor(
    private readonly reader: ImageReader,
    private readonly options: VerifyOptions,
    private readonly signal: AbortSignal,
    private readonly events: ProgressEvents,
  ) {
    this.what = `verifying ${reader.name}`;
  }

  /** Reads a manifest; an ambiguous one is verified as far as it can be read. */
  async read(tagOrDigest: string, expected?: Descriptor): Promise<FetchedManifest> {
    try {
      return await this.reader.getManifest(tagOrDigest, expected);
    } catch (error) {
      const cause = error instanceof ManifestToolError ? error.cause : undefined;
      if (!(cause instanceof AmbiguousDocument)) throw error;
      const { parsed, bytes, faults } = cause;
      const digest = isDigest(tagOrDigest) ? tagOrDigest : digestOf(bytes);
      const defects = faults.map((what): Defect => ({
        where: digest,
        what: `is ambiguous: ${what}`,
        fault: 'ambiguous',
      }));
      this.ambiguities.set(digest, defects);
      return { ...parsed, digest, size: bytes.length, bytes };
    }
  }

  /** Reads a manifest that no row is about; undefined if it is missing or damaged. */
  readonly readIfWhole = async (entry: Descriptor): Promise<FetchedManifest | undefined> => {
    const fetched = await this.attempt(() => this.reader.getManifest(entry.digest, entry));
    return 'value' in fetched ? fetched.value : undefined;
  };

  ambiguitiesOf({ digest }: FetchedManifest): readonly Defect[] {
    return this.ambiguities.get(digest) ?? [];
  }

  async image(root: FetchedManifest, document: ImageManifest): Promise<Verified> {
    const { digest, mediaType, size } = root;
    const { defects, platform, labels } = await this.checkBlobs(digest, document);
    const entry = { digest, mediaType, size, ...(platform && { platform }) };
    const [examined] = await this.examine([{ digest, platform, manifest: root }]);
    return {
      entries: [verifiedEntry(entry, root, defects, examined)],
      images: [{ digest, platform, labels, attestations: [], isArtifact: isArtifact(document) }],
    };
  }

  async index({ manifests }: ImageIndex): Promise<Verified> {
    const walker = new IndexWalker<CheckedEntry>({
      what: this.what,
      signal: this.signal,
      manifests: new ManifestCache((entry) => this.read(entry.digest, entry)),
      visit: (entry, read) => this.checkEntry(entry, read),
      beyondLimit: 'cut',
    });
    const graph = await walker.walk(manifests);
    const beyond = graph.limit === undefined ? '' : LIMIT_REASONS[graph.limit];
    const listed = new Set<FetchedManifest>();
    const leaves: GraphEntry<CheckedEntry>[] = [];
    graph.fold<void>((entry) => {
      if (entry.manifest?.document.kind !== 'index') leaves.push(entry);
    });
    const examined = await this.examineEntries(leaves);
    const entries = graph.fold<VerifiedEntry>((entry, inner, isCut) => {
      const { descriptor, manifest, value } = entry;
      const below = isCut
        ? [{ where: descriptor.digest, what: `was not verified: ${beyond}` }]
        : once(listed, entry, inner);
      return verifiedEntry(
        descriptor,
        manifest,
        [...value.defects, ...below],
        examined.get(descriptor),
      );
    });
    return { entries, images: imageFacts(leaves) };
  }

  /** The defects of the programs in each image; none unless they are asked for. */
  private async examineEntries(
    leaves: readonly GraphEntry<CheckedEntry>[],
  ): Promise<ReadonlyMap<Descriptor, readonly Defect[]>> {
    const entries = leaves.flatMap(({ descriptor, manifest }) =>
      manifest === undefined ? [] : [{ ...descriptor, descriptor, manifest }],
    );
    const defects = await this.examine(entries);
    return new Map(defects.map((each, i) => [entries[i]!.descriptor, each]));
  }

  private async examine(
    images: readonly Omit<ExaminedImage, 'reader'>[],
  ): Promise<readonly (readonly Defect[])[]> {
    const { what, signal, events, reader, options } = this;
    if (options.executables !== true) return [];
    const { examineExecutables } = await import('./examine-executables.js');
    const readLayers = new Set<string>();
    const examinations = await examineExecutables(
      images.map((image) => ({ ...image, reader })),
      { what, signal, events, onLayerRead: (digest) => readLayers.add(digest) },
    );
    const known = new Set<string>();
    for (const { executables } of examinations) {
      if (executables === undefined) continue;
      const key = `${executables.digest} ${formatPlatform(executables.platform)}`;
      if (!known.has(key)) this.executables.push(executables);
      known.add(key);
    }
    const unread = options.deep === true ? await this.readOtherLayers(images, readLayers) : [];
    return examinations.map(({ defects }, i) => [...defects, ...(unread[i] ?? [])]);
  }

  /** Reads the layers that had to be read and were not examined. */
  private readOtherLayers(
    images: readonly Omit<ExaminedImage, 'reader'>[],
    readLayers: ReadonlySet<string>,
  ): Promise<Defect[][]> {
    return mapConcurrent(images, async ({ digest: where, manifest: { document } }) => {
      if (document.kind !== 'manifest') return [];
      const left = (await this.expectedLayers(document)).filter(
        ({ digest, mediaType }) => isImageLayerType(mediaType) && !readLayers.has(digest),
      );
      const outcomes = await Promise.all(
        left.map(async (layer) => ({ layer, blob: await this.checkBlob(layer, true) })),
      );
      return outcomes.flatMap(({ layer, blob }) =>
        'why' in blob ? [{ where, what: `layer ${layer.digest}: ${blob.why}` }] : [],
      );
    });
  }

  /** The defects of the entries of an index; collects their warnings. */
  entriesOf(digest: string, index: ImageIndex): Defect[] {
    this.warnings.push(...duplicateEntries(index));
    return indexDefects(digest, index);
  }

  private async checkEntry(entry: Descriptor, read: ReadEntry): Promise<CheckedEntry> {
    const where = entry.digest;
    if (!isDocumentType(entry.mediaType)) return { defects: await this.checkBlobEntry(entry) };
    const fetched = await this.attempt(read);
    if ('why' in fetched) return { defects: [{ where, what: fetched.why }] };
    const manifest = fetched.value;
    if (manifest === undefined) return { defects: [] };
    const { mediaType } = manifest;
    const typed =
      mediaType === entry.mediaType
        ? []
        : [{ where, what: `is of type ${mediaType}, but the index says ${entry.mediaType}` }];
    const named = await this.checkManifest(manifest);
    const { document } = manifest;
    const defects =
      document.kind === 'index' || isAttestation(entry)
        ? []
        : entryPlatformDefects(entry, named.platform, isArtifact(document));
    return { defects: [...typed, ...defects], named };
  }

  /** An entry that names a blob. No runtime can use it, so it must not be for a platform. */
  private async checkBlobEntry(entry: Descriptor): Promise<readonly Defect[]> {
    const { digest: where, mediaType, platform } = entry;
    if (isForeignLayerType(mediaType)) return [];
    const blob = await this.checkBlob(entry);
    if ('why' in blob) return [{ where, what: `is a blob: ${blob.why}` }];
    if (platform === undefined || isUnknownPlatform(platform)) return [];
    const what = `is for ${formatPlatform(platform)}, and of type ${mediaType}, which is neither an image nor an index`;
    return [{ where, what }];
  }

  private checkManifest(manifest: FetchedManifest): Promise<CheckedManifest> {
    const checking = this.checked.get(manifest) ?? this.checkDocument(manifest);
    this.checked.set(manifest, checking);
    return checking;
  }

  private async checkDocument(manifest: FetchedManifest): Promise<CheckedManifest> {
    const { digest, document } = manifest;
    const checked =
      document.kind === 'index'
        ? { defects: this.entriesOf(digest, document) }
        : await this.checkBlobs(digest, document);
    return { ...checked, defects: [...this.ambiguitiesOf(manifest), ...checked.defects] };
  }

  private async checkBlobs(where: string, document: ImageManifest): Promise<CheckedManifest> {
    const layers = await this.expectedLayers(document);
    const [config, ...blobs] = await Promise.all([
      this.checkConfig(document),
      ...layers.map((layer) => this.checkLayer(layer)),
    ]);
    const damaged = blobs.flatMap((blob, i) =>
      'why' in blob ? [{ where, what: `layer ${layers[i]!.digest}: ${blob.why}` }] : [],
    );
    if ('value' in config) {
      const { value } = config;
      if (value === undefined) return { defects: damaged };
      const defects = [...layerDefects(where, document, value), ...damaged];
      return { ...present('platform', value.platform), ...this.labelsOf(where, value, defects) };
    }
    const what = `config ${document.config.digest}: ${config.why}`;
    return { defects: [{ where, what }, ...damaged] };
  }

  /** Layers that are examined later are read then. */
  private checkLayer(layer: Descriptor): Promise<Attempt<void>> {
    const isExamined = this.options.executables === true && isImageLayerType(layer.mediaType);
    return isExamined ? this.checkBlob(layer, false) : this.checkBlob(layer);
  }

  /** Reads the config of an image; that of an artifact is checked as a blob. */
  private checkConfig(document: ImageManifest): Promise<Attempt<ImageConfig | undefined>> {
    const { config } = document;
    return hasImageConfig(document)
      ? this.attempt(async () => configOf(document, await this.reader.getBlob(config)))
      : this.checkBlob(config).then((blob) => ('why' in blob ? blob : { value: undefined }));
  }

  /** The labels of a config that are required: a config may be large, and is not kept. */
  private labelsOf(
    where: string,
    config: ImageConfig,
    defects: readonly Defect[],
  ): CheckedManifest {
    const { sameLabels = [] } = this.options;
    if (sameLabels.length === 0) return { defects };
    try {
      const all = labelsOf(config);
      const required = sameLabels.flatMap((key) => {
        const value = all.get(key);
        return value === undefined ? [] : [[key, value] as const];
      });
      return { defects, labels: new Map(required) };
    } catch (error) {
      // `labelsOf` throws nothing else.
      const { message } = error as FieldError;
      const what = `has labels in its config that cannot be read: ${message}`;
      return { defects: [...defects, { where, what }] };
    }
  }

  /**
   * The layers that have to be there: all but foreign layers, which are checked only if blobs are
   * read, and counted if they are missing.
   */
  private async expectedLayers({ layers = [] }: ImageManifest): Promise<Descriptor[]> {
    const expected = await Promise.all(
      layers.map(async (layer) => {
        if (!isForeignLayerType(layer.mediaType)) return [layer];
        if (this.options.deep !== true) return [];
        const size = await this.attempt(() => this.reader.blobSize(layer));
        if ('value' in size && size.value !== undefined) return [layer];
        this.missingForeign.add(layer.digest);
        return [];
      }),
    );
    return expected.flat();
  }

  /**
   * Checks a blob, once however many images share it.
   * @param isRead whether it is read, and not only asked for
   */
  private checkBlob(
    descriptor: Descriptor,
    isRead = this.options.deep === true,
  ): Promise<Attempt<void>> {
    const key = `${descriptor.digest} ${descriptor.size} ${isRead}`;
    const checking = this.blobs.get(key) ?? this.attempt(() => this.readBlob(descriptor, isRead));
    this.blobs.set(key, checking);
    return checking;
  }

  private async readBlob(descriptor: Descriptor, isRead: boolean): Promise<void> {
    await this.slots.acquire();
    try {
      this.signal.throwIfAborted();
      if (!isRead) return this.compareSize(descriptor, await this.reader.blobSize(descriptor));
      for await (const _ of await this.reader.openBlob(descriptor));
    } finally {
      this.slots.release();
    }
  }

  private compareSize({ size: expected }: Descriptor, size: number | undefined): void {
    if (size === undefined) throw new Error('it is not there');
    if (size !== expected)
      throw new Error(`it has ${size} bytes, but its descriptor says ${expected}`);
  }

  private attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
    return attempt(this.what, this.signal, work);
  }
}

/**
 * Defects of what an entry names: listed with the first entry that names it, so that an index that
 * names one damaged image a thousand times has them once.
 */
function once(
  listed: Set<FetchedManifest>,
  { descriptor, manifest, value }: GraphEntry<CheckedEntry>,
  inner: readonly VerifiedEntry[],
): readonly Defect[] {
  if (manifest === undefined) return [];
  if (listed.has(manifest)) {
    const what = 'has the same defects as its first entry';
    return [{ where: descriptor.digest, what }];
  }
  const own = value.named?.defects ?? [];
  const defects = unique([...own, ...inner.flatMap((entry) => entry.defects)]);
  if (defects.length > 0) listed.add(manifest);
  return defects;
}

/** The images among the entries of an index, each with its attestations. */
function imageFacts(leaves: readonly GraphEntry<CheckedEntry>[]): ImageFacts[] {
  const companions = new Companions(leaves.map(({ descriptor }) => descriptor));
  const attestations = new Map<string, FetchedManifest[]>();
  for (const { descriptor, manifest } of leaves) {
    const subject = isAttestation(descriptor) ? attestedDigest(descriptor) : undefined;
    if (subject === undefined || manifest === undefined) continue;
    const known = attestations.get(subject);
    if (known === undefined) attestations.set(subject, [manifest]);
    else known.push(manifest);
  }
  return leaves
    .filter(({ descriptor }) => !companions.has(descriptor))
    .map(({ descriptor: { digest, mediaType, platform }, manifest, value }) => ({
      digest,
      platform: platform ?? value.named?.platform,
      labels: value.named?.labels,
      attestations: attestations.get(digest) ?? [],
      isArtifact:
        manifest?.document.kind === 'manifest'
          ? isArtifact(manifest.document)
          : !isDocumentType(mediaType),
    }));
}

/** Adds the defects of the index that are about an entry or its platform. */
function withOwn(entries: readonly VerifiedEntry[], own: readonly Defect[]): VerifiedEntry[] {
  const byPlace = new Map<string | undefined, Defect[]>();
  for (const defect of own) {
    const known = byPlace.get(defect.where);
    if (known === undefined) byPlace.set(defect.where, [defect]);
    else known.push(defect);
  }
  return entries.map((entry) => {
    const places = [entry.digest, entry.platform && formatPlatform(entry.platform)];
    const about = places.flatMap((place) => byPlace.get(place) ?? []);
    return about.length === 0 ? entry : { ...entry, defects: unique([...about, ...entry.defects]) };
  });
}

function unique(defects: readonly Defect[]): Defect[] {
  return [...new Map(defects.map((defect) => [`${defect.where} ${defect.what}`, defect])).values()];
}

function blobsIn({ mediaType }: Descriptor, document: ImageDocument | undefined): number {
  if (document?.kind === 'manifest') return 1 + (document.layers ?? []).length;
  return isDocumentType(mediaType) ? 0 : 1;
}

function verifiedEntry(
  entry: Descriptor,
  manifest: FetchedManifest | undefined,
  own: readonly Defect[],
  examined: readonly Defect[] = [],
): VerifiedEntry {
  const { digest, mediaType, platform } = entry;
  const document = manifest?.document;
  const attests = isAttestation(entry);
  return {
    digest,
    mediaType,
    platform: attests ? undefined : platform,
    isAttestation: attests,
    blobs: blobsIn(entry, document),
    defects: unique([...own, ...examined]),
  };
}
