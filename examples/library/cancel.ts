import { createClient, ManifestToolError } from 'manifest-tool';

await using client = createClient();
const user = new AbortController();

const cancelled = client.copy({
  source: 'localhost:5000/acme/app:1.0',
  target: 'localhost:5000/acme/cancelled:1.0',
  // The first of them that is aborted ends the call.
  signal: [user.signal, AbortSignal.timeout(60_000)],
  events: { read: () => user.abort(new Error('the user pressed Cancel')) },
});
const other = client.query('localhost:5000/acme/app:1.0');

const [copy, query] = await Promise.allSettled([cancelled, other]);
if (copy.status === 'rejected' && copy.reason instanceof ManifestToolError)
  console.log(copy.reason.code, String(copy.reason.cause));
console.log(query.status);
