import { createClient, formatPlatform, hasPlatforms } from 'manifest-tool';

await using client = createClient();
const { kind, platforms } = await client.query('localhost:5000/acme/app:1.0');
console.log(kind, platforms.map(formatPlatform));

// linux/arm64 and linux/arm64/v8 are the same platform.
console.log(hasPlatforms(platforms, ['linux/amd64', 'linux/arm64']));
console.log(hasPlatforms(platforms, ['windows/amd64']));
