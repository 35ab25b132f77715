import { createClient } from 'manifest-tool';

// The digests of images that other jobs have pushed, one for each platform.
const digests = process.argv.slice(2);

await using client = createClient();
const { root, outcomes } = await client.push({
  target: 'localhost:5000/acme/app:1.0',
  tags: ['latest'],
  type: 'oci',
  sources: digests.map((digest) => `localhost:5000/acme/app@${digest}`),
  requiredPlatforms: ['linux/amd64', 'linux/arm64'],
  annotations: { 'org.opencontainers.image.version': '1.0' },
});
console.log(root.mediaType);
for (const outcome of outcomes) {
  if (outcome.status === 'failed') throw new Error(outcome.error.message);
  for (const { reference, status } of outcome.tags) console.log(reference, status);
}
