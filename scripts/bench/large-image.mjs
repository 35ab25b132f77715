import { createHash } from 'node:crypto';
import { createGzip } from 'node:zlib';
import { imageOf, layerOf, noiseSource } from './images.mjs';
import { putBlob, putImage } from './seed.mjs';

const MIB = 1024 * 1024;

/**
 * Pushes an image with one layer, streamed. The layer is gzip, because some tools compress
 * uncompressed layers.
 * @param {import('./seed.mjs').Place} place @param {string} repository @param {string} tag @param {number} mib
 */
export async function putLargeImage(place, repository, tag, mib) {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of layer(mib)) {
    hash.update(chunk);
    size += chunk.length;
  }
  const described = layerOf(`sha256:${hash.digest('hex')}`, size);
  await putBlob(place, repository, described, layer(mib));
  const { manifest, blobs, platform } = imageOf('linux/amd64', [described]);
  await putImage(place, repository, { platform, manifest, blobs: blobs.slice(0, 1) }, [tag]);
}

/** The layer; always the same bytes. @param {number} mib */
function layer(mib) {
  const gzip = createGzip({ level: 0 });
  const noise = noiseSource('large');
  const zeros = Buffer.alloc(MIB);
  const write = async () => {
    for (let n = 0; n < mib; n += 1) {
      if (gzip.write(noise.update(zeros))) continue;
      await new Promise((resolve) => {
        gzip.once('drain', resolve);
      });
    }
    gzip.end();
  };
  write().catch((error) => gzip.destroy(error));
  return gzip;
}
