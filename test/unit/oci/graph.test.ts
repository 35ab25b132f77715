import { describe, expect, test } from 'vitest';
import { digestOf } from '../../../src/oci/digest.js';
import { parseDocument } from '../../../src/oci/documents.js';
import type { Descriptor } from '../../../src/oci/descriptor.js';
import { IndexWalker, ManifestCache, type WalkOptions } from '../../../src/oci/graph.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';

/** Manifests in memory, and the digests that were read. */
class Store {
  readonly reads: string[] = [];
  private readonly contents = new Map<string, { mediaType: string; bytes: Buffer }>();

  image(name: string): Descriptor {
    const config = { mediaType: OCI_CONFIG, digest: digestOf(Buffer.from(name)), size: 1 };
    return this.put(OCI_MANIFEST, { schemaVersion: 2, config, layers: [] });
  }

  index(...manifests: readonly Descriptor[]): Descriptor {
    return this.put(OCI_INDEX, { schemaVersion: 2, mediaType: OCI_INDEX, manifests });
  }

  /** An index with nothing but one index inside it, so many levels deep, down to an image. */
  nested(levels: number): Descriptor {
    let inner = this.image('innermost');
    for (let level = 0; level < levels; level += 1) inner = this.index(inner);
    return inner;
  }

  walker<T>(options: Pick<WalkOptions<T>, 'visit'> & Partial<WalkOptions<T>>): IndexWalker<T> {
    return new IndexWalker({
      what: 'walking',
      signal: new AbortController().signal,
      manifests: new ManifestCache(async ({ digest }) => {
        this.reads.push(digest);
        await Promise.resolve();
        const content = this.contents.get(digest);
        if (content === undefined) throw new Error(`${digest} is missing`);
        const { bytes, mediaType } = content;
        return { ...parseDocument(bytes, mediaType), digest, size: bytes.length, bytes };
      }),
      beyondLimit: 'throw',
      ...options,
    });
  }

  private put(mediaType: string, document: object): Descriptor {
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = digestOf(bytes);
    this.contents.set(digest, { mediaType, bytes });
    return { mediaType, digest, size: bytes.length };
  }
}

type Tree = readonly [digest: string, ...inner: Tree[]];

const readAll: WalkOptions<void>['visit'] = async (_, read) => void (await read());

async function treeOf(walker: IndexWalker<void>, entries: readonly Descriptor[]): Promise<Tree[]> {
  const graph = await walker.walk(entries);
  return graph.fold<Tree>(({ descriptor }, inner) => [descriptor.digest, ...inner]);
}

describe('a walk', () => {
  test('has every entry as often as it is named, and reads and visits each once', async () => {
    const store = new Store();
    const [a, b] = [store.image('a'), store.image('b')];
    const inner = store.index(a, b, a);
    const visited: string[] = [];
    const walker = store.walker<void>({
      visit: async ({ digest }, read) => {
        visited.push(digest);
        await read();
      },
    });
    const tree = await treeOf(walker, [inner, a, inner]);
    const innerTree: Tree = [inner.digest, [a.digest], [b.digest], [a.digest]];
    expect(tree).toEqual([innerTree, [a.digest], innerTree]);
    expect(store.reads.toSorted()).toEqual([a, b, inner].map(({ digest }) => digest).toSorted());
    expect(visited).toHaveLength(6);
  });

  test('follows an index only if it is read', async () => {
    const store = new Store();
    const inner = store.index(store.image('a'));
    const walker = store.walker<void>({ visit: () => Promise.resolve() });
    expect(await treeOf(walker, [inner])).toEqual([[inner.digest]]);
    expect(store.reads).toEqual([]);
  });

  test('reads an entry again whose size or type is another', async () => {
    const store = new Store();
    const a = store.image('a');
    await store.walker<void>({ visit: readAll }).walk([a, { ...a, size: a.size + 1 }, a]);
    expect(store.reads).toEqual([a.digest, a.digest]);
  });

  test('goes on after a failure that the visitor handles', async () => {
    const store = new Store();
    const a = store.image('a');
    const missing = { ...a, digest: digestOf(Buffer.from('missing')) };
    const walker = store.walker<string>({
      visit: (_, read) =>
        read().then(
          () => 'read',
          () => 'failed',
        ),
    });
    const graph = await walker.walk([missing, a]);
    expect(graph.fold(({ value, manifest }) => [value, manifest?.digest])).toEqual([
      ['failed', undefined],
      ['read', a.digest],
    ]);
  });

  test('fails with the first failure in the order of the entries', async () => {
    const visit = async ({ size }: Descriptor): Promise<void> => {
      await new Promise((resolve) => {
        setTimeout(resolve, size);
      });
      throw new Error(`entry of ${size}`);
    };
    const store = new Store();
    const entries = [30, 1, 10].map((size) => ({ ...store.image('a'), size }));
    await expect(store.walker({ visit }).walk(entries)).rejects.toThrow('entry of 30');
  });

  test('ends when the signal is aborted', async () => {
    const store = new Store();
    const controller = new AbortController();
    let visited = 0;
    const walker = store.walker<void>({
      signal: controller.signal,
      visit: async () => {
        visited += 1;
        controller.abort();
      },
    });
    const entries = Array.from({ length: 1000 }, () => store.image('a'));
    await expect(walker.walk(entries)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(visited).toBe(1);
  });
});

describe('indexes inside an index', () => {
  test('are followed four levels deep, and no deeper', async () => {
    const store = new Store();
    const four = [store.nested(4)];
    expect(JSON.stringify(await treeOf(store.walker({ visit: readAll }), four))).toContain(
      store.image('innermost').digest,
    );
    const [five, walker] = [[store.nested(5)], store.walker<void>({ visit: readAll })];
    await expect(walker.walk(five)).rejects.toMatchObject({
      code: 'FAILED',
      reason: 'index-limit',
      why: 'indexes are nested more than 4 levels deep',
    });
  });

  test('are cut by the longest way to them, though a shorter one was followed', async () => {
    const store = new Store();
    const deep = store.nested(2);
    let long = deep;
    for (let level = 0; level < 3; level += 1) long = store.index(long);
    const walker = store.walker<void>({ visit: readAll, beyondLimit: 'cut' });
    const graph = await walker.walk([deep, long]);
    expect(graph.limit).toBe('too-deep');
    const depthOf = (inner: readonly number[]): number => 1 + Math.max(0, ...inner);
    const depths = graph.fold<number>((_, inner, isCut) => (isCut ? 100 : depthOf(inner)));
    expect(depths).toEqual([3, 104]);
    await expect(store.walker({ visit: readAll }).walk([deep, long])).rejects.toThrow(/4 levels/);
  });

  test('may name 20,000 manifests in all, however few are different', async () => {
    const store = new Store();
    const many = (count: number, entry: Descriptor): Descriptor[] =>
      Array.from({ length: count }, () => entry);
    const hundred = store.index(...many(100, store.image('a')));
    const within = many(198, hundred);
    const graph = await store.walker<void>({ visit: readAll }).walk(within);
    let count = 0;
    graph.fold(() => (count += 1));
    expect(count).toBe(198 * 101);
    const beyond = many(199, hundred);
    await expect(store.walker({ visit: readAll }).walk(beyond)).rejects.toThrow(
      /more than 20000 manifests are referred to/,
    );
    const cut = await store.walker<void>({ visit: readAll, beyondLimit: 'cut' }).walk(beyond);
    expect(cut.limit).toBe('too-many');
    expect(new Set(cut.fold((_, inner, isCut) => `${inner.length} ${isCut}`))).toEqual(
      new Set(['0 true']),
    );
  });

  test('are not read any more once too many manifests are named', async () => {
    const store = new Store();
    const image = store.image('a');
    const indexes = Array.from({ length: 300 }, (_, i) =>
      store.index(...Array.from({ length: 200 }, () => image), store.image(String(i))),
    );
    const walker = store.walker<void>({ visit: readAll, beyondLimit: 'cut' });
    expect((await walker.walk(indexes)).limit).toBe('too-many');
    expect(store.reads.length).toBeLessThan(200);
  });

  test('share the limit over all walks of one walker', async () => {
    const store = new Store();
    const entries = Array.from({ length: 1000 }, () => store.image('a'));
    const index = store.index(...entries);
    const walker = store.walker<void>({ visit: readAll });
    for (let walk = 0; walk < 19; walk += 1) await walker.walk([index]);
    await expect(walker.walk([index])).rejects.toThrow(/20000/);
  });
});
