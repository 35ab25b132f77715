import { mapInOrder, yieldToEventLoop } from '../concurrency.js';
import { ManifestToolError, interrupted } from '../errors.js';
import type { FetchedManifest } from './content.js';
import type { Descriptor } from './descriptor.js';
import type { ImageIndex } from './documents.js';
import { MAX_NAMED_ENTRIES, MAX_NESTING } from './limits.js';
import { isIndexType } from './media-types.js';

/** Why indexes inside an index were not followed. */
export type Limit = 'too-deep' | 'too-many';

/** What is wrong with an index beyond a limit. */
export const LIMIT_REASONS: Readonly<Record<Limit, string>> = {
  'too-deep': `indexes are nested more than ${MAX_NESTING} levels deep`,
  'too-many': `more than ${MAX_NAMED_ENTRIES} manifests are referred to, counting repeated ones each time`,
};

/** How an index is walked. */
export interface WalkOptions<T> {
  /** What is being done, for errors: `copying example.com/app:1.0`. */
  readonly what: string;
  readonly signal: AbortSignal;
  /** Reads what entries name. */
  readonly manifests: ManifestCache;
  /**
   * Handles one entry, and calls `read` if what it names is needed: an index that was read is
   * followed; `entries` are those of its index. Called once for each entry of each index, however often that index is named.
   */
  readonly visit: (
    descriptor: Descriptor,
    read: ReadEntry,
    entries: readonly Descriptor[],
  ) => Promise<T>;
  /** Beyond a limit, either fails or leaves indexes out of the graph, which then says so. */
  readonly beyondLimit: 'throw' | 'cut';
}

/** Reads what the entry names; undefined for an index beyond a limit, if the walk is cut there. */
export type ReadEntry = () => Promise<FetchedManifest | undefined>;

/** An entry of an index, as an {@link IndexGraph} has it. */
export interface GraphEntry<T> {
  readonly descriptor: Descriptor;
  /** What {@link WalkOptions.visit} made of it. */
  readonly value: T;
  /** What it names, the same object for all entries that name it; undefined if it was not read. */
  readonly manifest: FetchedManifest | undefined;
}

/** Reads each manifest once, however often it is asked for. */
export class ManifestCache {
  private readonly reading = new Map<string, Promise<FetchedManifest>>();

  constructor(private readonly read: (descriptor: Descriptor) => Promise<FetchedManifest>) {}

  get(descriptor: Descriptor): Promise<FetchedManifest> {
    const key = cacheKey(descriptor);
    const reading = this.reading.get(key) ?? this.read(descriptor);
    this.reading.set(key, reading);
    return reading;
  }

  /** Adds a manifest that cannot be read, because it was just made. */
  add(descriptor: Descriptor, manifest: FetchedManifest): void {
    this.reading.set(cacheKey(descriptor), Promise.resolve(manifest));
  }
}

/** Readers check all three: an entry with a wrong size must fail although another one was right. */
function cacheKey({ digest, size, mediaType }: Descriptor): string {
  return `${digest} ${size} ${mediaType}`;
}

/**
 * Follows the entries of an index, and those of the indexes inside it, level by level. Levels and
 * entries are limited, the entries over all walks of one walker; before each entry the signal is
 * checked and other work gets its turn.
 */
export class IndexWalker<T> {
  private readonly nodes = new Map<FetchedManifest, Node<T>>();
  private left = MAX_NAMED_ENTRIES;

  constructor(private readonly options: WalkOptions<T>) {}

  /**
   * Walks the entries of one index.
   * @throws {ManifestToolError} FAILED with reason `index-limit`; INTERRUPTED; what `read` and
   * `visit` throw. Of several failures, that of the first entry.
   */
  async walk(descriptors: readonly Descriptor[]): Promise<IndexGraph<T>> {
    const top = new Node<T>(descriptors);
    let level: Level<T> = new Map([[top, 1]]);
    this.left -= descriptors.length;
    for (let depth = 1; ; depth += 1) {
      const isRefused = await this.visitLevel(level, depth);
      level = nextLevel(level);
      this.left -= countEntries(level);
      const hasIndexes = isRefused || level.size > 0;
      const limit = hasIndexes ? limitAt(depth, this.left) : undefined;
      if (limit !== undefined) this.exceeded(limit);
      if (limit !== undefined || !hasIndexes) return new IndexGraph(top, depth - 1, limit);
    }
  }

  /** Visits the entries of a level; returns whether an index was left unread because of a limit. */
  private async visitLevel(level: Level<T>, depth: number): Promise<boolean> {
    const { manifests, signal, visit, what } = this.options;
    let remaining = this.left;
    let isRefused = false;
    await mapInOrder(unvisited(level), async ({ node, descriptor, position }) => {
      await yieldToEventLoop();
      if (signal.aborted) throw interrupted(what);
      let manifest: FetchedManifest | undefined;
      let isIndex = false;
      const value = await visit(
        descriptor,
        async () => {
          const limit = isIndexType(descriptor.mediaType) ? limitAt(depth, remaining) : undefined;
          if (limit !== undefined) {
            this.exceeded(limit);
            isRefused = isIndex = true;
            return undefined;
          }
          manifest = await manifests.get(descriptor);
          if (manifest.document.kind === 'index') {
            isIndex = true;
            remaining -= this.addNode(manifest, manifest.document);
          }
          return manifest;
        },
        node.descriptors,
      );
      const inner = manifest && this.nodes.get(manifest);
      node.entries[position] = { descriptor, value, manifest, inner, isIndex };
    });
    return isRefused;
  }

  /**
   * Adds an index to the graph; returns how many entries it adds at least, so that reading stops
   * early. {@link nextLevel} counts those of an index that is named again.
   */
  private addNode(manifest: FetchedManifest, { manifests }: ImageIndex): number {
    if (this.nodes.has(manifest)) return 0;
    this.nodes.set(manifest, new Node(manifests));
    return manifests.length;
  }

  /** @throws {ManifestToolError} FAILED unless the walk is cut at a limit. */
  private exceeded(limit: Limit): void {
    if (this.options.beyondLimit === 'cut') return;
    const reason = 'index-limit';
    throw new ManifestToolError('FAILED', this.options.what, LIMIT_REASONS[limit], { reason });
  }
}

/** What a walk found: entries in the order of their index, each index once. */
export class IndexGraph<T> {
  /** @internal */
  constructor(
    private readonly top: Node<T>,
    /** Levels of indexes inside the index that were followed. */
    private readonly followed: number,
    /** The limit at which the graph was cut; undefined if it is complete. */
    readonly limit: Limit | undefined,
  ) {}

  /**
   * Builds a value for each entry as often as it is named, from the values of the entries of the
   * index that it names; `isCut` is set for an index that was not followed. At most
   * {@link MAX_NAMED_ENTRIES} times.
   */
  fold<R>(combine: (entry: GraphEntry<T>, inner: readonly R[], isCut: boolean) => R): R[] {
    const fold = (node: Node<T>, depth: number): R[] =>
      node.entries.map((entry) => {
        const isCut = entry.isIndex && depth > this.followed;
        const inner = isCut || entry.inner === undefined ? [] : fold(entry.inner, depth + 1);
        return combine(entry, inner, isCut);
      });
    return fold(this.top, 1);
  }
}

/** An index, followed once however often it is named. */
class Node<T> {
  readonly entries: NodeEntry<T>[] = [];
  isVisited = false;

  constructor(readonly descriptors: readonly Descriptor[]) {}
}

interface NodeEntry<T> extends GraphEntry<T> {
  readonly inner: Node<T> | undefined;
  /** Whether it names an index that was read, or was left unread because of a limit. */
  readonly isIndex: boolean;
}

/** The indexes of one level, each with the number of times that it is named there. */
type Level<T> = ReadonlyMap<Node<T>, number>;

/** The limit that an index at this depth exceeds, with so many entries left to follow. */
function limitAt(depth: number, left: number): Limit | undefined {
  if (depth > MAX_NESTING) return 'too-deep';
  return left < 0 ? 'too-many' : undefined;
}

function unvisited<T>(level: Level<T>) {
  const nodes = [...level.keys()].filter(({ isVisited }) => !isVisited);
  for (const node of nodes) node.isVisited = true;
  return nodes.flatMap((node) =>
    node.descriptors.map((descriptor, position) => ({ node, descriptor, position })),
  );
}

function nextLevel<T>(level: Level<T>): Level<T> {
  const next = new Map<Node<T>, number>();
  for (const [node, times] of level) {
    for (const { inner } of node.entries) {
      if (inner !== undefined) next.set(inner, (next.get(inner) ?? 0) + times);
    }
  }
  return next;
}

function countEntries<T>(level: Level<T>): number {
  return [...level].reduce((sum, [node, times]) => sum + times * node.descriptors.length, 0);
}
