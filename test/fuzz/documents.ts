import fc from 'fast-check';
import { digestOf } from '../../src/oci/digest.js';
import { architectures, digests, operatingSystems, variants } from './generators.js';

/** Any JSON value, but small. */
const anything = fc.jsonValue({ maxDepth: 2, depthSize: 'small' });

/** Mostly what belongs there, sometimes anything, sometimes nothing (which JSON leaves out). */
function mostly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 30, arbitrary: value },
    { weight: 4, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: anything },
  );
}

const TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];
const contentTypes = [
  ...TYPES,
  'application/vnd.oci.image.config.v1+json',
  'application/octet-stream',
  '',
];

export const wireTypes = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(...TYPES, `${TYPES[0]}; charset=utf-8`, ' ; ', 'text/html', ';'),
);

const textMaps = fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 8 }), {
  maxKeys: 3,
});
const lists = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 3 });

const platform = fc.record({
  architecture: mostly(fc.constantFrom(...architectures)),
  os: mostly(fc.constantFrom(...operatingSystems)),
  'os.version': mostly(fc.constantFrom('10.0.1', '')),
  'os.features': mostly(lists(fc.constantFrom('win32k', ''))),
  variant: mostly(fc.constantFrom(...variants)),
});

/** Embedded content has the digest and the size of its descriptor. */
function withContent<D extends { readonly data?: unknown }>(made: D): D {
  if (typeof made.data !== 'string') return made;
  const bytes = Buffer.from(made.data, 'base64');
  return { ...made, digest: digestOf(bytes), size: bytes.length };
}

const descriptor = fc
  .record(
    {
      mediaType: mostly(fc.constantFrom(...contentTypes)),
      digest: mostly(digests),
      size: mostly(fc.constantFrom(0, 1, 1234, 2 ** 53 - 1, 2 ** 53, -1, 1.5)),
      urls: mostly(lists(fc.webUrl())),
      annotations: mostly(textMaps),
      data: mostly(fc.base64String({ maxLength: 12 })),
      platform: mostly(platform),
      artifactType: mostly(fc.string({ maxLength: 6 })),
    },
    { requiredKeys: ['mediaType', 'digest', 'size'] },
  )
  .map(withContent);

/** Manifests and indexes, and what is a bit of both. */
export const documents = fc
  .record(
    {
      schemaVersion: mostly(fc.constantFrom(2, 2, 2, 1, 0)),
      mediaType: mostly(fc.constantFrom(...TYPES)),
      artifactType: mostly(fc.string({ maxLength: 6 })),
      config: mostly(descriptor),
      layers: mostly(lists(descriptor)),
      manifests: mostly(lists(descriptor)),
      fsLayers: anything,
      subject: mostly(descriptor),
      annotations: mostly(textMaps),
    },
    { requiredKeys: ['schemaVersion'] },
  )
  .chain((document) => {
    const { config, layers, manifests, fsLayers, ...rest } = document;
    return fc.oneof(
      { weight: 8, arbitrary: fc.constant({ ...rest, manifests }) },
      { weight: 8, arbitrary: fc.constant({ ...rest, config, layers }) },
      { weight: 1, arbitrary: fc.constant({ ...rest, config, layers, manifests, fsLayers }) },
    );
  })
  .map((document) => JSON.stringify(document));

const times = fc.constantFrom('2024-01-02T03:04:05Z', '2024-01-02T03:04:05.120+00:00', 'now', '');
const history = fc.record({
  created: mostly(times),
  created_by: mostly(fc.string({ maxLength: 8 })),
  empty_layer: mostly(fc.boolean()),
  x: anything,
});

export const configs = fc
  .record(
    {
      created: mostly(times),
      author: mostly(fc.string({ maxLength: 6 })),
      architecture: mostly(fc.constantFrom(...architectures)),
      os: mostly(fc.constantFrom(...operatingSystems)),
      'os.version': mostly(fc.constantFrom('10.0.1', '')),
      'os.features': mostly(lists(fc.constantFrom('win32k', ''))),
      variant: mostly(fc.constantFrom(...variants)),
      config: mostly(
        fc.record({
          User: mostly(fc.constantFrom('root', '')),
          Env: mostly(lists(fc.constantFrom('A=b', ''))),
          Labels: mostly(textMaps),
          ExposedPorts: mostly(fc.constantFrom({ '80/tcp': {} }, {})),
          y: anything,
        }),
      ),
      rootfs: mostly(
        fc.record({ type: mostly(fc.constant('layers')), diff_ids: mostly(lists(digests)) }),
      ),
      history: mostly(lists(history)),
      z: anything,
    },
    { requiredKeys: ['architecture', 'os'] },
  )
  .map((config) => JSON.stringify(config));
