import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startRegistry, type Registry } from './registry.js';
import { startTokenServer, type TokenServer } from './token-server.js';

/** A registry with TLS that asks for tokens of a token server with TLS, and all that a client needs to get in. */
export interface GuardedRegistry {
  readonly registry: Registry;
  readonly tokens: TokenServer;
  /** Options of a command line that trust both, as a user who may do everything. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How a test speaks to it about these repositories. */
  access(...repositories: string[]): { authorization: string; ca: string };
  stop(): Promise<void>;
}

/** Starts both; files that a client needs are written into `folder`. */
export async function startGuardedRegistry(folder: string): Promise<GuardedRegistry> {
  const tokens = await startTokenServer({ tls: true });
  const registry = await startRegistry({ tls: true, token: tokens });
  const caFile = path.join(folder, 'authorities.pem');
  await writeFile(caFile, `${registry.ca!}\n${await readFile(tokens.certFile, 'utf8')}`);
  const auth = Buffer.from('alice:secret').toString('base64');
  const config = path.join(folder, 'config.json');
  await writeFile(config, JSON.stringify({ auths: { [registry.host]: { auth } } }));
  return {
    registry,
    tokens,
    options: ['--ca-file', caFile],
    env: { DOCKER_CONFIG: folder },
    access: (...repositories) => ({
      authorization: tokens.authorize(repositories),
      ca: registry.ca!,
    }),
    async stop() {
      await registry.stop();
      await tokens.stop();
    },
  };
}
