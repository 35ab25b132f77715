import { createClient } from 'manifest-tool';

await using client = createClient({
  events: {
    wait: ({ host, reason, milliseconds }) =>
      console.log(`${host}: ${reason}, retrying in ${milliseconds} ms`),
  },
});
let percent = 0;
await client.copy({
  source: 'localhost:5000/acme/app:1.0',
  target: 'oci-layout://backup:1.0',
  events: {
    progress: ({ bytes, totalBytes }) => (percent = Math.floor((100 * bytes) / totalBytes)),
    tagged: ({ reference }) => console.log(`${percent} %, ${reference}`),
    warning: (text) => console.log(`warning: ${text}`),
  },
});
