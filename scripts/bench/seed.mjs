/** Pushes images to a local registry and reads tags, over plain HTTP. */

/**
 * @typedef {import('./images.mjs').Content} Content
 * @typedef {import('./images.mjs').Image} Image
 * @typedef {{ host: string, authorization?: string }} Place `host` is `host:port`; `authorization` is the field of that name
 */

/** Pushes an image under tags, or by digest without any. @param {Place} place @param {string} repository @param {Image} image @param {readonly string[]} tags */
export async function putImage(place, repository, { blobs, manifest }, tags = []) {
  await Promise.all(blobs.map((blob) => putBlob(place, repository, blob, blob.bytes)));
  await putManifest(place, repository, manifest, tags);
}

/**
 * Pushes a manifest under tags, or by digest without any.
 * @param {Place} place @param {string} repository @param {Content} manifest @param {readonly string[]} tags
 */
export async function putManifest(place, repository, { mediaType, digest, bytes }, tags = []) {
  for (const name of tags.length === 0 ? [digest] : tags) {
    const url = `http://${place.host}/v2/${repository}/manifests/${name}`;
    await send(place, 'PUT', url, 201, { 'content-type': mediaType }, bytes);
  }
}

/**
 * Pushes a blob, from memory or as a stream.
 * @param {Place} place @param {string} repository @param {Content} blob @param {Uint8Array | AsyncIterable<Uint8Array>} body
 */
export async function putBlob(place, repository, { digest }, body) {
  const uploads = `http://${place.host}/v2/${repository}/blobs/uploads/`;
  const opened = await send(place, 'POST', uploads, 202, {}, undefined);
  const session = new URL(opened.headers.get('location') ?? '', uploads);
  session.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  await send(place, 'PUT', session, 201, headers, body);
}

/** The digest and text of the manifest of a tag; undefined if there is no such tag. @param {Place} place @param {string} repository @param {string} tag */
export async function readManifest(place, repository, tag) {
  const url = `http://${place.host}/v2/${repository}/manifests/${tag}`;
  const kinds = ['docker.distribution.manifest', 'oci.image'].flatMap((kind) =>
    (kind.startsWith('docker') ? ['v2', 'list.v2'] : ['manifest.v1', 'index.v1']).map(
      (type) => `application/vnd.${kind}.${type}+json`,
    ),
  );
  const response = await fetch(url, { headers: { ...signed(place), accept: kinds.join(', ') } });
  const text = await response.text();
  if (response.status !== 200) return undefined;
  return { digest: response.headers.get('docker-content-digest') ?? '', text };
}

/** The tags of a repository, at most 1000; none if it does not exist. @param {Place} place @param {string} repository */
export async function readTags(place, repository) {
  const url = `http://${place.host}/v2/${repository}/tags/list?n=1000`;
  const response = await fetch(url, { headers: signed(place) });
  if (response.status !== 200) return [];
  const { tags } = /** @type {{ tags: string[] | null }} */ (await response.json());
  return tags ?? [];
}

/**
 * @param {Place} place @param {string} method @param {string | URL} url @param {number} status what the answer has to have
 * @param {Record<string, string>} headers @param {Uint8Array | AsyncIterable<Uint8Array> | undefined} body
 */
async function send(place, method, url, status, headers, body) {
  const response = await fetch(url, {
    method,
    headers: { ...signed(place), ...headers },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  });
  const text = await response.text();
  if (response.status !== status)
    throw new Error(`${method} ${String(url)}: ${response.status} ${text.slice(0, 300)}`);
  return response;
}

/** @param {Place} place @returns {Record<string, string>} */
function signed({ authorization }) {
  return authorization === undefined ? {} : { authorization };
}
