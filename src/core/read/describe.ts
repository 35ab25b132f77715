import { attestedDigest, isAttestation } from '../../oci/attestation.js';
import type { FetchedManifest } from '../../oci/content.js';
import type { ImageManifest } from '../../oci/documents.js';
import { configOf, hasImageConfig } from '../../oci/image-config.js';
import { MAX_DOCUMENT_SIZE } from '../../oci/limits.js';
import { descriptorOf, type Descriptor } from '../../oci/descriptor.js';
import {
  IndexWalker,
  LIMIT_REASONS,
  ManifestCache,
  type GraphEntry,
  type ReadEntry,
} from '../../oci/graph.js';
import { isIndexType, isManifestType } from '../../oci/media-types.js';
import type { Platform } from '../../oci/platform.js';
import type { Reference } from '../../oci/reference.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import type { FetchedConfig } from './read-config.js';
import { listReferrers, type ListedReferrer } from './referrers.js';
import { RepeatedContent } from './repeated-content.js';
import { selectManifest, type Selected } from './select-manifest.js';

/** A manifest with everything that belongs to it. */
export interface Described {
  /** `list` is an index; `other` is an entry that is neither an image nor an index. */
  readonly kind: 'image' | 'list' | 'attestation' | 'other';
  /** As its index has it; without an index, its own type, digest and size. */
  readonly descriptor: Descriptor;
  /** Whether it is an entry of an index. */
  readonly isEntry: boolean;
  /** Undefined for `other`, and for an index that is not followed. */
  readonly manifest?: FetchedManifest;
  /** Of an image, if it was read and is JSON. */
  readonly config?: FetchedConfig;
  /** Of an index, in its order. */
  readonly entries: readonly Described[];
  /** Of an image, those that its index has. */
  readonly attestations: readonly Described[];
  /** If they were asked for. */
  readonly referrers?: readonly ListedReferrer[];
}

/** How much is read. */
export interface DescribeOptions {
  /**
   * The configs of all images (the default), or only of those that have no platform in their index.
   */
  readonly configs?: 'all' | 'needed';
  /** The referrers of the manifest itself (`top`), or also of each entry; the default is `none`. */
  readonly referrers?: 'none' | 'top' | 'all';
}

/** What is described, and how much of it. */
export interface DescribeRequest extends DescribeOptions {
  /** Selects the entry of an index for this platform; a single image must be for it. */
  readonly platform?: Platform;
}

/**
 * Reads an image or index with everything that belongs to it. Warns of indexes inside it that are
 * not followed: more than 4 levels deep, or with more than 20,000 entries in all.
 * @throws {ManifestToolError} NOT_FOUND if something does not exist, CORRUPT if something is damaged; what the readers throw.
 */
export async function describeImage(
  client: Client,
  reference: Reference,
  request: DescribeRequest = {},
  events: Pick<ProgressEvents, 'warning' | 'note'> = {},
): Promise<Described> {
  const selected = await selectManifest(client, reference, request.platform, events);
  return describeSelected(client, selected, request, events);
}

/** The platform that the index gives, or else the config. */
export function platformOf({ descriptor, config }: Described): Platform | undefined {
  return descriptor.platform ?? config?.platform;
}

/**
 * Reads everything that belongs to a manifest, as {@link describeImage} does.
 * @throws {ManifestToolError} NOT_FOUND if something does not exist, CORRUPT if it is damaged.
 */
export async function describeSelected(
  { signal }: Pick<Client, 'signal'>,
  selected: Selected,
  options: DescribeOptions,
  events: Pick<ProgressEvents, 'warning'> = {},
): Promise<Described> {
  return new Describer(selected, options, events, signal).describe();
}

/** What belongs to an entry, besides what it names. */
type Belongings = Pick<Described, 'config' | 'referrers'>;

class Describer {
  private readonly what: string;
  private readonly walker: IndexWalker<Belongings>;
  private readonly configs = new Map<string, Promise<FetchedConfig | undefined>>();
  private readonly referrers = new Map<string, Promise<readonly ListedReferrer[]>>();
  private readonly repeated: RepeatedContent;

  constructor(
    private readonly selected: Selected,
    private readonly options: DescribeOptions,
    private readonly events: Pick<ProgressEvents, 'warning'>,
    signal: AbortSignal,
  ) {
    const { store, manifest } = selected;
    this.what = `reading ${store.name}@${manifest.digest}`;
    this.repeated = new RepeatedContent(this.what);
    this.walker = new IndexWalker({
      what: this.what,
      signal,
      manifests: new ManifestCache((entry) => store.getManifest(entry.digest, entry)),
      visit: (entry, read) => this.visit(entry, read),
      beyondLimit: 'cut',
    });
  }

  async describe(): Promise<Described> {
    const { manifest, entry, attestations } = this.selected;
    const { document } = manifest;
    const descriptor = entry ?? descriptorOf(manifest);
    const [own, entries, attesting] = await Promise.all([
      this.rootBelongings(descriptor),
      this.walk(document.kind === 'index' ? document.manifests : []),
      this.walk(attestations),
    ]);
    return {
      kind: kindOf(descriptor, manifest),
      descriptor,
      isEntry: entry !== undefined,
      manifest,
      ...own,
      entries: withAttestations(entries),
      attestations: attesting,
    };
  }

  private async rootBelongings(descriptor: Descriptor): Promise<Belongings> {
    const { manifest, config } = this.selected;
    const { referrers = 'none' } = this.options;
    return belongings(
      config ?? this.configOf(descriptor, manifest),
      referrers === 'none' ? undefined : this.referrersOf(descriptor),
    );
  }

  private async walk(descriptors: readonly Descriptor[]): Promise<Described[]> {
    const graph = await this.walker.walk(descriptors);
    if (graph.limit !== undefined) {
      const why = LIMIT_REASONS[graph.limit];
      this.events.warning?.(`${this.what}: not everything is shown: ${why}`);
    }
    return graph.fold<Described>((entry, inner, isCut) => this.described(entry, inner, isCut));
  }

  private async visit(descriptor: Descriptor, read: ReadEntry): Promise<Belongings> {
    const { mediaType } = descriptor;
    const isReadable = isIndexType(mediaType) || isManifestType(mediaType);
    return belongings(
      isReadable ? read().then((manifest) => this.configOf(descriptor, manifest)) : undefined,
      this.options.referrers === 'all' ? this.referrersOf(descriptor) : undefined,
    );
  }

  private described(
    { descriptor, manifest, value }: GraphEntry<Belongings>,
    inner: readonly Described[],
    isCut: boolean,
  ): Described {
    const common = { descriptor, isEntry: true, attestations: [], ...value };
    if (isCut) return { ...common, kind: 'list', entries: [] };
    if (manifest === undefined) return { ...common, kind: 'other', entries: [] };
    this.repeated.add(manifest);
    if (value.config !== undefined && manifest.document.kind === 'manifest')
      this.repeated.add(manifest.document.config);
    const kind = kindOf(descriptor, manifest);
    return { ...common, kind, manifest, entries: withAttestations(inner) };
  }

  /** The config of an image, if it is wanted and can be one. */
  private async configOf(
    descriptor: Descriptor,
    manifest: FetchedManifest | undefined,
  ): Promise<FetchedConfig | undefined> {
    if (manifest?.document.kind !== 'manifest' || isAttestation(descriptor)) return undefined;
    const isWanted = this.options.configs !== 'needed' || descriptor.platform === undefined;
    const { document } = manifest;
    const { config } = document;
    if (!isWanted || !hasImageConfig(document) || config.size > MAX_DOCUMENT_SIZE) return undefined;
    const reading =
      this.configs.get(config.digest) ??
      this.selected.store.getBlob(config).then((bytes) => parsed(document, bytes));
    this.configs.set(config.digest, reading);
    return reading;
  }

  private referrersOf({ digest }: Descriptor): Promise<readonly ListedReferrer[]> {
    const listing = this.referrers.get(digest) ?? listReferrers(this.selected.store, digest);
    this.referrers.set(digest, listing);
    return listing;
  }
}

async function belongings(
  reading: FetchedConfig | Promise<FetchedConfig | undefined> | undefined,
  listing: Promise<readonly ListedReferrer[]> | undefined,
): Promise<Belongings> {
  const [config, referrers] = await Promise.all([reading, listing]);
  return { ...(config && { config }), ...(referrers && { referrers }) };
}

function kindOf(descriptor: Descriptor, { document }: FetchedManifest): Described['kind'] {
  if (document.kind === 'index') return 'list';
  return isAttestation(descriptor) ? 'attestation' : 'image';
}

/** Gives each image of an index the attestations that the index has for it. */
function withAttestations(entries: readonly Described[]): Described[] {
  const attestations = new Map<string, Described[]>();
  for (const entry of entries) {
    const subject = entry.kind === 'attestation' ? attestedDigest(entry.descriptor) : undefined;
    if (subject === undefined) continue;
    const known = attestations.get(subject);
    if (known === undefined) attestations.set(subject, [entry]);
    else known.push(entry);
  }
  return entries.map((entry) =>
    entry.kind === 'image'
      ? { ...entry, attestations: attestations.get(entry.descriptor.digest) ?? [] }
      : entry,
  );
}

function parsed(manifest: ImageManifest, bytes: Uint8Array): FetchedConfig | undefined {
  try {
    const config = configOf(manifest, bytes);
    return config && { ...config, bytes };
  } catch {
    return undefined;
  }
}
