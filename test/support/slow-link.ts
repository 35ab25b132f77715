import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowLink {
  readonly host: string;
  stop(): Promise<void>;
}

/** Starts a proxy of TCP before a server of this machine that lets so many bytes a second pass to the client on each connection. */
export async function startSlowLink(target: string, bytesPerSecond: number): Promise<SlowLink> {
  const port = Number(target.slice(target.lastIndexOf(':') + 1));
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [client, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        far.destroy();
      });
    }
    client.pipe(far);
    far.pipe(slow(bytesPerSecond)).pipe(client);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** How often a piece passes, in milliseconds. */
const PERIOD_MS = 20;

function slow(bytesPerSecond: number): Transform {
  const size = Math.ceil((bytesPerSecond * PERIOD_MS) / 1000);
  return new Transform({
    async transform(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += size) {
        this.push(chunk.subarray(at, at + size));
        if (at + size < chunk.length) await sleep(PERIOD_MS);
      }
      done();
    },
  });
}
