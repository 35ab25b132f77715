import { FakeRegistry } from './fake-registry.js';
import { startScripted, type Answer, type ScriptedServer, type Seen } from './scripted.js';

/** An odd answer to a request; undefined where it is the usual one. */
export type Odd = (request: Seen) => Answer | undefined;

/** A registry in which some answers are odd, with the images of two platforms in `app`. */
export class OddRegistry {
  registry = new FakeRegistry();
  /** Stands in for some answers. */
  odd: Odd = () => undefined;

  private constructor(readonly server: ScriptedServer) {}

  static async start(): Promise<OddRegistry> {
    const server = await startScripted(() => ({ status: 500 }));
    const made = new OddRegistry(server);
    server.script = (request) => made.odd(request) ?? made.registry.answer(request);
    made.reset();
    return made;
  }

  /** Makes it what it was at first. */
  reset(): void {
    this.registry = new FakeRegistry();
    this.registry.addPlatforms('app');
    this.odd = () => undefined;
  }

  /** The command line of a read, sent once. */
  reading(name = 'app:linux-amd64'): string[] {
    return ['inspect', '--retry', '0', `${this.server.host}/${name}`];
  }

  /** That of a copy into another repository: blobs are mounted or uploaded, the manifest is written. */
  copying(): string[] {
    const { host } = this.server;
    return ['copy', '--retry', '0', `${host}/app:linux-amd64`, `${host}/copy:1`];
  }
}

export function always(answer: Answer): Odd {
  return () => answer;
}

export function isWrite({ method, path }: Seen): boolean {
  return method === 'PUT' && path.includes('/manifests/');
}
