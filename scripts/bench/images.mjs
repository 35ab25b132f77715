/** Reproducible images and indexes, for the benchmark and for the tests that count requests. */
import { createCipheriv, createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

const IMAGE = 'application/vnd.docker.distribution.manifest.v2+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const CONFIG = 'application/vnd.docker.container.image.v1+json';
const LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** Platforms that all tools support, as `os/arch[/variant]`. */
export const PLATFORMS = [
  'linux/amd64',
  'linux/arm64',
  'linux/arm/v7',
  'linux/386',
  'linux/ppc64le',
  'linux/s390x',
  'linux/riscv64',
  'linux/arm/v6',
  'linux/mips64le',
  'windows/amd64',
  'linux/arm/v5',
  'freebsd/amd64',
  'linux/mips64',
  'linux/mipsle',
  'linux/mips',
  'linux/ppc64',
];

/**
 * Content that a registry addresses by its digest.
 * @typedef {{ mediaType: string, digest: string, size: number, bytes: Buffer }} Content
 *
 * @typedef {{ platform: string, blobs: Content[], manifest: Content }} Image
 */

/** `linux/arm/v7` as templates of manifest-tool write `OS-ARCHVARIANT`: `linux-armv7`. @param {string} platform */
export function platformTag(platform) {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return `${os}-${architecture}${variant}`;
}

/** Incompressible bytes, different for each name. @param {string} name @param {number} size */
function noise(name, size) {
  return noiseSource(name).update(Buffer.alloc(size));
}

/** The same as a stream: the output of a cipher over zeros. @param {string} name */
export function noiseSource(name) {
  const key = createHash('sha256').update(name).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
}

/**
 * An image with a config and small layers that it shares with no other image.
 * @param {string} platform
 * @param {{ layers?: number, layerBytes?: number, name?: string }} [options]
 * @returns {Image}
 */
export function makeImage(platform, { layers = 2, layerBytes = 1024, name = 'app' } = {}) {
  const made = Array.from({ length: layers }, (_, n) =>
    content(LAYER, gzipSync(noise(`${name} ${platform} ${n}`, layerBytes))),
  );
  return imageOf(platform, made);
}

/**
 * An image of these layers; only their descriptors are used, so large layers need not be in memory.
 * @param {string} platform
 * @param {Content[]} layers
 * @returns {Image}
 */
export function imageOf(platform, layers) {
  const config = content(
    CONFIG,
    json({
      ...platformFields(platform),
      config: {},
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    }),
  );
  const manifest = json({
    schemaVersion: 2,
    mediaType: IMAGE,
    config: descriptor(config),
    layers: layers.map(descriptor),
  });
  return { platform, blobs: [config, ...layers], manifest: content(IMAGE, manifest) };
}

/** A Docker manifest list of images. @param {readonly Image[]} images */
export function makeList(images) {
  const manifests = images.map(({ platform, manifest }) => ({
    ...descriptor(manifest),
    platform: platformFields(platform),
  }));
  return content(LIST, json({ schemaVersion: 2, mediaType: LIST, manifests }));
}

/** A layer by digest and size, without content. @param {string} digest @param {number} size @returns {Content} */
export function layerOf(digest, size) {
  return { mediaType: LAYER, digest, size, bytes: Buffer.alloc(0) };
}

/** @param {string} mediaType @param {Buffer} bytes @returns {Content} */
function content(mediaType, bytes) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { mediaType, digest, size: bytes.length, bytes };
}

/** @param {Content} content */
function descriptor({ mediaType, digest, size }) {
  return { mediaType, size, digest };
}

/** @param {string} platform */
function platformFields(platform) {
  const [os, architecture, variant] = platform.split('/');
  return { architecture, os, ...(variant === undefined ? {} : { variant }) };
}

/** @param {object} document */
function json(document) {
  return Buffer.from(JSON.stringify(document, undefined, 2));
}
