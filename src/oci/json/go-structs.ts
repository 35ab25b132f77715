import type { Annotations, Descriptor } from '../descriptor.js';
import type { ImageIndex, ImageManifest } from '../documents.js';
import { Members, sortedByBytes, type Writable } from './go-marshal.js';
import type { Platform } from '../platform.js';

/*
 * Documents in the field order of Go's structs for them (image-spec specs-go/v1; distribution
 * manifest/manifestlist).
 */

/** image-spec `v1.Platform`. */
export function platformMembers(platform: Platform): Members {
  return new Members([
    ['architecture', platform.architecture],
    ['os', platform.os],
    ['os.version', platform.osVersion],
    ['os.features', platform.osFeatures],
    ['variant', platform.variant],
  ]);
}

/** image-spec `v1.Descriptor`. */
export function ociDescriptor(descriptor: Descriptor): Members {
  return new Members([
    ['mediaType', descriptor.mediaType],
    ['digest', descriptor.digest],
    ['size', descriptor.size],
    ['urls', filled(descriptor.urls)],
    ['annotations', annotations(descriptor.annotations)],
    ['data', descriptor.data || undefined],
    ['platform', descriptor.platform && platformMembers(descriptor.platform)],
    ['artifactType', descriptor.artifactType || undefined],
  ]);
}

/** distribution `manifestlist.ManifestDescriptor`: size before digest, and always a platform. */
export function dockerDescriptor(descriptor: Descriptor): Members {
  return new Members([
    ['mediaType', descriptor.mediaType],
    ['size', descriptor.size],
    ['digest', descriptor.digest],
    ['urls', filled(descriptor.urls)],
    ['annotations', annotations(descriptor.annotations)],
    ['platform', platformMembers(descriptor.platform ?? { architecture: '', os: '' })],
  ]);
}

/** The members of image-spec `v1.Manifest`, for structs that embed it. */
export function manifestMembers(manifest: ImageManifest): [string, Writable | undefined][] {
  return [
    ['schemaVersion', manifest.schemaVersion],
    ['mediaType', manifest.mediaType || undefined],
    ['artifactType', manifest.artifactType || undefined],
    ['config', ociDescriptor(manifest.config)],
    ['layers', layerList(manifest)],
    ['subject', manifest.subject && ociDescriptor(manifest.subject)],
    ['annotations', annotations(manifest.annotations)],
  ];
}

/** image-spec `v1.Index`. */
export function indexMembers(index: ImageIndex): [string, Writable | undefined][] {
  return [
    ['schemaVersion', index.schemaVersion],
    ['mediaType', index.mediaType || undefined],
    ['artifactType', index.artifactType || undefined],
    ['manifests', index.manifests.map(ociDescriptor)],
    ['subject', index.subject && ociDescriptor(index.subject)],
    ['annotations', annotations(index.annotations)],
  ];
}

/** The layers of a manifest; Go writes a missing list as null. */
export function layerList({ layers }: ImageManifest): Writable {
  return layers === undefined ? null : layers.map(ociDescriptor);
}

/** Annotations in Go's key order; undefined if there are none. */
export function annotations(map: Annotations | undefined): Map<string, string> | undefined {
  return map === undefined || map.size === 0 ? undefined : sortedByBytes(map);
}

function filled<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
