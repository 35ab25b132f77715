/**
 * Generates fixtures/layout: an OCI image layout with one small image per platform. The bytes are
 * the same on every machine and version of Node: timestamps are fixed, and the gzip data consists
 * of stored blocks.
 *
 *     node scripts/test/layout-fixture.mjs           writes it
 *     node scripts/test/layout-fixture.mjs --check   exits 1 if the committed files are not what would be written
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { ROOT } from '../project.mjs';

const LAYOUT = path.join(ROOT, 'fixtures', 'layout');
const CREATED = '2024-01-01T00:00:00Z';

/**
 * @typedef {{ os: string, architecture: string, variant?: string, osVersion?: string }} Platform
 * @typedef {{ mediaType: string, digest: string, size: number }} Descriptor
 * @typedef {(mediaType: string, bytes: Buffer) => Descriptor} AddBlob
 */

/** @type {readonly Platform[]} */
const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
  { os: 'linux', architecture: '386' },
  { os: 'linux', architecture: 's390x' },
  { os: 'linux', architecture: 'ppc64le' },
  { os: 'linux', architecture: 'riscv64' },
  { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348.2655' },
];

/** A POSIX tar archive of one file (IEEE 1003.1, pax, ustar interchange format). @param {string} name @param {Buffer} content */
function tar(name, content) {
  const header = Buffer.alloc(512);
  /** @param {number} value @param {number} length */
  const octal = (value, length) => `${value.toString(8).padStart(length - 1, '0')}\0`;
  const seconds = Date.parse(CREATED) / 1000;
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(seconds, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** A gzip file (RFC 1952) of one stored deflate block (RFC 1951, 3.2.4), which holds up to 65,535 bytes. @param {Buffer} bytes */
function gzipStored(bytes) {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const block = Buffer.alloc(5);
  block.writeUInt8(1, 0);
  block.writeUInt16LE(bytes.length, 1);
  block.writeUInt16LE(bytes.length ^ 0xffff, 3);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, block, bytes, trailer]);
}

/** @param {Buffer} bytes */
const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
/** @param {unknown} value */
const json = (value) => Buffer.from(JSON.stringify(value));

/** All files of the layout: path inside it, and bytes. */
function makeFiles() {
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  /** @type {AddBlob} */
  const addBlob = (mediaType, bytes) => {
    const digest = digestOf(bytes);
    files.set(`blobs/${digest.replace(':', '/')}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const manifests = PLATFORMS.map((platform) => addImage(platform, addBlob));
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  files.set('index.json', json({ schemaVersion: 2, mediaType, manifests }));
  return files;
}

/**
 * Adds the blobs of one image, and returns its entry of index.json (undefined members are not
 * written).
 * @param {Platform} platform
 * @param {AddBlob} addBlob
 */
function addImage({ os, architecture, variant, osVersion }, addBlob) {
  // As the template OS-ARCHVARIANT writes it.
  const tag = `${os}-${architecture}${variant ?? ''}`;
  const layer = tar('hello', Buffer.from(`hello from ${tag.replaceAll('-', '/')}\n`));
  const config = {
    created: CREATED,
    architecture,
    variant,
    os,
    'os.version': osVersion,
    config: { Env: ['PATH=/'], Cmd: ['/hello'], Labels: { 'org.example.platform': tag } },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created: CREATED, created_by: 'COPY hello /' }],
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: addBlob('application/vnd.oci.image.config.v1+json', json(config)),
    layers: [addBlob('application/vnd.oci.image.layer.v1.tar+gzip', gzipStored(layer))],
  };
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  return { ...addBlob(mediaType, json(manifest)), annotations };
}

/** @param {ReadonlyMap<string, Buffer>} files */
function write(files) {
  rmSync(LAYOUT, { recursive: true, force: true });
  for (const [name, bytes] of files) {
    const file = path.join(LAYOUT, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
}

/** Files that differ from what would be written, are missing, or are not part of it. @param {ReadonlyMap<string, Buffer>} files */
function staleFiles(files) {
  const present = listFiles(LAYOUT);
  const extra = present.filter((name) => !files.has(name));
  const changed = [...files].filter(
    ([name, bytes]) =>
      !present.includes(name) || !readFileSync(path.join(LAYOUT, name)).equals(bytes),
  );
  return [...changed.map(([name]) => name), ...extra];
}

/** @param {string} directory */
function listFiles(directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .map((name) => name.replaceAll(path.sep, '/'));
}

const files = makeFiles();
if (process.argv.includes('--check')) {
  for (const name of staleFiles(files)) {
    console.error(`fixtures/layout/${name} is stale: run make fixtures`);
    process.exitCode = 1;
  }
} else {
  write(files);
}
