import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createClient, ManifestToolError } from 'manifest-tool';

// One client for the whole server: it keeps connections and tokens.
const client = createClient();

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const image = new URL(request.url ?? '', 'http://server').searchParams.get('image') ?? '';
  // A visitor who leaves ends the work for this request alone.
  const left = new AbortController();
  response.on('close', () => left.abort());
  try {
    const result = await client.query(image, { signal: left.signal });
    response.setHeader('content-type', 'application/json').end(JSON.stringify(result));
  } catch (error) {
    if (!(error instanceof ManifestToolError)) throw error;
    const status = { NOT_FOUND: 404, USAGE: 400, UNAVAILABLE: 503 }[error.code as string] ?? 500;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(error));
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(Number(process.env.PORT ?? 8080), () =>
  console.log('listening on', server.address()),
);

process.once('SIGTERM', () => {
  server.close();
  void client.close();
});
