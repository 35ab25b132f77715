import { mapInOrder } from '../../concurrency.js';
import { ManifestToolError } from '../../errors.js';
import type {
  FetchedManifest,
  ImageReader,
  ImageStore,
  ManifestContent,
} from '../../oci/content.js';
import type { Digest } from '../../oci/digest.js';
import { parseDocument, type ImageDocument } from '../../oci/documents.js';
import type { Platform } from '../../oci/platform.js';
import type { Client } from '../client.js';
import type { ProgressEvents } from '../events.js';
import { comparedContent, contentSize, sideOf } from '../read/diff.js';
import {
  differenceOf,
  type ComparedContent,
  type Difference,
  type DiffSide,
} from '../read/difference.js';
import { findEntries, type FoundEntry, type ManifestReader } from '../read/entries.js';
import { listReferrers } from '../read/referrers.js';
import type { TagState } from './plan.js';
import type { ResolvedImage } from './resolved-image.js';

/** What refers to an image that a tag would no longer lead to. */
export interface LeftReferrer {
  /** Of the referrer. */
  readonly digest: Digest;
  /** Of the referrer. */
  readonly artifactType?: string;
  /** The tag under which cosign keeps it, if there is one: `sha256-HEX.sig`. */
  readonly tag?: string;
  /** What it refers to. */
  readonly subject: Digest;
  /** Of the subject; undefined if it has none. */
  readonly platform: Platform | undefined;
}

/** What would change for tags that point to the same digest now, or to nothing. */
export interface TagChanges extends Difference {
  /** Tags of the target. */
  readonly tags: readonly string[];
  /** What they point to now; undefined if they do not exist. */
  readonly from: DiffSide | undefined;
  /** What they would point to. */
  readonly to: DiffSide;
  /**
   * What refers to an image or index that these tags would no longer lead to, and stays where it
   * is; undefined if that is not known, as in an edit that is not a dry run.
   */
  readonly leftBehind: readonly LeftReferrer[] | undefined;
}

/** What a dry run would publish to a target. */
export interface PlannedPublish {
  readonly root: ManifestContent;
  /** All manifests that the root needs, as far as the target may not hold them. */
  readonly images: readonly ResolvedImage[];
  /** What the tags point to now; undefined for one that does not exist. */
  readonly before: TagState;
}

/**
 * Compares what tags point to with what a dry run would publish under them; tags that point to it
 * already are left out. What cannot be read for it is a warning: it does not keep the publish from
 * succeeding.
 */
export async function reviewTags(
  client: Pick<Client, 'signal'>,
  store: ImageStore,
  planned: PlannedPublish,
  events: Pick<ProgressEvents, 'warning'>,
): Promise<readonly TagChanges[]> {
  const tags = new Map<Digest | undefined, string[]>();
  for (const [tag, digest] of planned.before) {
    if (digest === planned.root.digest) continue;
    const others = tags.get(digest);
    if (others === undefined) tags.set(digest, [tag]);
    else others.push(tag);
  }
  const find = (reader: ManifestReader, name: string, manifest: FetchedManifest) =>
    findEntries(client, reader, name, manifest, events);
  const warned = (what: string, error: unknown): undefined => {
    if (!(error instanceof ManifestToolError) || error.code === 'INTERRUPTED') throw error;
    events.warning?.(`${what}: ${error.message}`);
  };
  const reader = new PlannedReader(store, planned.images);
  const root = withDocument(planned.root);
  const after = tags.size === 0 ? [] : await find(reader, store.name, root);
  const content = comparedContent(root, after, (entry) => contentSize(reader, entry));
  const changes = await mapInOrder([...tags], async ([digest, names]) => {
    const to = sideOf(root);
    const shown = names.map((name) => `${store.name}:${name}`).join(', ');
    if (digest === undefined) {
      const difference = await differenceOf(NOTHING, content);
      return [{ tags: names, from: undefined, to, ...difference, leftBehind: [] }];
    }
    try {
      const held = await store.getManifest(digest);
      const before = await find(store, `${store.name}@${digest}`, held);
      const own = comparedContent(held, before, (entry) => heldSize(store, entry));
      const subjects = gone([rootEntry(held), ...before], [rootEntry(root), ...after]);
      const [difference, leftBehind] = await Promise.all([
        differenceOf(own, content),
        referrersLeft(store, subjects).catch((error: unknown) =>
          warned(`cannot determine which referrers of ${shown} would be left behind`, error),
        ),
      ]);
      return [{ tags: names, from: sideOf(held), to, ...difference, leftBehind }];
    } catch (error) {
      warned(`the changes to ${shown} cannot be shown`, error);
      return [];
    }
  });
  return changes.flat();
}

const NOTHING: ComparedContent = {
  annotations: undefined,
  entries: [],
  sizeOf: async () => undefined,
};

function withDocument(content: ManifestContent): FetchedManifest {
  return { ...content, ...parseDocument(content.bytes, content.mediaType) };
}

/**
 * What an edit changed for its tag; nothing if the index is the same. Reads nothing. `before.index`
 * is the index of `before.root` if that is a single image.
 */
export async function editChanges(
  tag: string,
  before: { readonly root: FetchedManifest; readonly index: ImageDocument },
  after: ManifestContent,
): Promise<readonly TagChanges[]> {
  if (before.root.digest === after.digest) return [];
  const { document } = withDocument(after);
  const unread = async (): Promise<undefined> => undefined;
  const content = (root: ImageDocument, index: ImageDocument): ComparedContent => ({
    annotations: root.annotations,
    entries: index.kind === 'index' ? index.manifests : [],
    sizeOf: unread,
  });
  const difference = await differenceOf(
    content(before.root.document, before.index),
    content(document, document),
  );
  const [from, to] = [sideOf(before.root), sideOf(after)];
  return [{ tags: [tag], from, to, ...difference, leftBehind: undefined }];
}

/** A target as it would be after a publish: what is published, and what it holds already. */
class PlannedReader implements ManifestReader {
  readonly name: string;
  private readonly manifests: ReadonlyMap<string, FetchedManifest>;
  /** By digest, where the config of an image is. */
  private readonly configs: ReadonlyMap<string, ImageReader>;

  constructor(
    private readonly store: ImageStore,
    images: readonly ResolvedImage[],
  ) {
    this.name = store.name;
    this.manifests = new Map(images.map(({ manifest }) => [manifest.digest, manifest]));
    this.configs = new Map(
      images.flatMap(({ manifest: { document }, source }) =>
        document.kind === 'manifest' ? [[document.config.digest, source] as const] : [],
      ),
    );
  }

  async getManifest(...[digest, expected]: Parameters<ImageReader['getManifest']>) {
    return this.manifests.get(digest) ?? this.store.getManifest(digest, expected);
  }

  getBlob(descriptor: Parameters<ImageReader['getBlob']>[0]) {
    return (this.configs.get(descriptor.digest) ?? this.store).getBlob(descriptor);
  }
}

/** The size of what an entry names; undefined if the target does not have it any more. */
async function heldSize(
  store: ImageReader,
  entry: Parameters<typeof contentSize>[1],
): Promise<number | undefined> {
  try {
    return await contentSize(store, entry);
  } catch (error) {
    if (error instanceof ManifestToolError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

type Reached = Pick<FoundEntry, 'descriptor' | 'platform'>;

function rootEntry({ digest, mediaType, size }: FetchedManifest): Reached {
  return { descriptor: { digest, mediaType, size } };
}

/** What one root leads to and the other does not, each once. */
function gone(before: readonly Reached[], after: readonly Reached[]): Reached[] {
  const kept = new Set(after.map(({ descriptor }) => descriptor.digest));
  const left = before.filter(({ descriptor }) => !kept.has(descriptor.digest));
  // The platform of a single image is in its entry, which is the last.
  return [...new Map(left.map((each) => [each.descriptor.digest, each])).values()];
}

async function referrersLeft(
  store: ImageReader,
  subjects: readonly Reached[],
): Promise<LeftReferrer[]> {
  const left = await mapInOrder(subjects, async ({ descriptor: { digest }, platform }) => {
    const referrers = await listReferrers(store, digest);
    return referrers.map(({ digest: own, artifactType, tag }): LeftReferrer => {
      const optional = { ...(artifactType && { artifactType }), ...(tag && { tag }) };
      return { digest: own, ...optional, subject: digest, platform };
    });
  });
  return left.flat();
}
