import { createClient, ManifestToolError } from 'manifest-tool';

await using client = createClient();

/** Says why an image must not be deployed; an empty list admits it. */
async function objections(image: string): Promise<string[]> {
  try {
    const { defects } = await client.verify(image, {
      atLeast: ['linux/amd64', 'linux/arm64'],
      signal: AbortSignal.timeout(10_000),
    });
    return defects.map(({ where, what }) => `${where} ${what}`);
  } catch (error) {
    // An image that cannot be checked is not admitted.
    if (error instanceof ManifestToolError) return [error.message];
    throw error;
  }
}

console.log(await objections('localhost:5000/acme/app:1.0'));
console.log(await objections('localhost:5000/acme/amd64:1.0'));
