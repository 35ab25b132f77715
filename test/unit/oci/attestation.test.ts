import { expect, test } from 'vitest';
import { predicateTypes } from '../../../src/oci/attestation.js';
import { parseDocument } from '../../../src/oci/documents.js';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.js';
import { digestOf } from '../../../src/oci/digest.js';

const blob = (mediaType: string) => ({ mediaType, digest: digestOf(Buffer.from('')), size: 0 });
const typesOf = (document: object) =>
  predicateTypes(parseDocument(Buffer.from(JSON.stringify(document)), undefined).document);

test('the predicate types of an attestation manifest are those of its layers', () => {
  const annotations = { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' };
  const layers = [blob('text/plain'), { ...blob('application/vnd.in-toto+json'), annotations }];
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: blob(OCI_CONFIG), layers };
  expect(typesOf(manifest)).toEqual(['https://spdx.dev/Document']);
});

test('an index that is listed as an attestation has no predicate types', () => {
  const annotations = { 'in-toto.io/predicate-type': 'https://spdx.dev/Document' };
  const manifests = [{ ...blob(OCI_MANIFEST), annotations }];
  expect(typesOf({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })).toEqual([]);
});
