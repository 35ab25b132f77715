import { createClient, type Client } from '../../core/client.js';
import { createCredentialStore } from '../../credentials/store.js';
import type { Credential, CredentialStore } from '../../http/auth/credential.js';
import type { Reference } from '../../oci/reference.js';
import type { GlobalOptionName } from '../args/options.js';
import { defined, usageError, type Options } from '../args/values.js';
import type { Surroundings } from '../command.js';
import type { Io } from '../io.js';
import type { Reporter } from '../progress/reporter.js';
import { tuneEngine } from '../tune-engine.js';

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];
/** Far more than a password or token has, in bytes. */
const MAX_PASSWORD_SIZE = 64 * 1024;

/** Options of authentication and transport, which every command has. */
export type ConnectionOptions = Options<GlobalOptionName>;

/**
 * Runs `work` with a client that has the settings of the command line, and closes it on every path.
 * @param references what the command is about, targets before sources: the credential of --username
 * is for the registry of the first one that is in a registry.
 */
export async function withClient<T>(
  args: ConnectionOptions,
  { io, reporter }: Surroundings,
  references: readonly Reference[],
  work: (client: Client) => Promise<T>,
): Promise<T> {
  for (const name of PROXY_VARIABLES) reporter.secrets.addUrl(io.env[name] ?? '');
  const ended = new AbortController();
  const client = createClient({
    credentials: await credentialStore(args, { io, reporter }, references, ended.signal),
    credentialsFirst: args.dockerCfg !== undefined || args.authfile !== undefined,
    plainHttp: args.plainHttp,
    insecure: args.insecure,
    env: io.env,
    signal: io.signal,
    ...defined({
      caFile: args.caFile,
      certFile: args.certFile,
      keyFile: args.keyFile,
      certDir: args.certDir,
      retries: args.retry,
      concurrency: args.concurrency,
      retryDelayMs: args.retryDelay,
      timeoutMs: args.timeout,
      onRequest: args.debug ? reporter.request : undefined,
    }),
    onLoad: tuneEngine,
    onWait: reporter.retry,
    onWarning: reporter.warning,
    onSecret: (secret) => reporter.secrets.add(secret),
  });
  try {
    return await work(client);
  } finally {
    // A credential helper may still run for a request that is no longer needed.
    ended.abort();
    await client.close();
  }
}

/**
 * The credential of --username for one registry, and the files and helpers for the others: a
 * password is sent to no registry that it may not be for. No secret of it is reported.
 */
async function credentialStore(
  args: ConnectionOptions,
  { io, reporter }: Surroundings,
  references: readonly Reference[],
  ended: AbortSignal,
): Promise<CredentialStore> {
  refuseEmpty('--docker-cfg', args.dockerCfg);
  refuseEmpty('--authfile', args.authfile);
  const typed = await typedCredential(args, io, reporter);
  const own = references.find((reference) => reference.kind === 'registry')?.host;
  reporter.setTypedHost(own);
  const store = createCredentialStore({
    given: typed !== undefined && own !== undefined ? { host: own, credential: typed } : undefined,
    dockerConfig: args.dockerCfg,
    authFile: args.authfile,
    env: io.env,
    signal: AbortSignal.any([io.signal, ended]),
    onWarning: reporter.warning,
  });
  return {
    async get(host, repository) {
      const found = await store.get(host, repository);
      if (found?.kind === 'password') reporter.secrets.addPassword(found.username, found.password);
      else if (found !== undefined) reporter.secrets.add(found.token);
      return found;
    },
    has: store.has,
  };
}

/** Mostly a variable that is not set: the default files would be another identity. */
function refuseEmpty(option: string, value: string | undefined): void {
  if (value !== '') return;
  throw usageError(
    `${option} is empty`,
    'pass a path, or omit the option to use the default files',
  );
}

/**
 * The credential of --username; undefined if it is not given. An empty value counts as not given, as
 * in manifest-tool.
 * @throws {ManifestToolError} USAGE for a user name without a password, and the other way round.
 */
async function typedCredential(
  args: ConnectionOptions,
  io: Io,
  reporter: Reporter,
): Promise<Credential | undefined> {
  const password = args.passwordStdin ? await readPassword(args, io) : (args.password ?? '');
  reporter.secrets.add(password);
  const { username = '' } = args;
  if (username === '' && password === '') return undefined;
  if (username === '') throw usageError('--password needs a user name', 'add --username NAME');
  if (password === '') {
    throw usageError(
      '--username needs a password',
      'pass --password-stdin < FILE, or --password; omit --username to use the files of docker and podman',
    );
  }
  return { kind: 'password', username, password, source: '--username' };
}

/** @throws {ManifestToolError} USAGE if other options contradict it, or nothing comes. */
async function readPassword({ username, password }: ConnectionOptions, io: Io): Promise<string> {
  if (password !== undefined) {
    throw usageError(
      'pass --password or --password-stdin, not both',
      '--password-stdin is safer: other users of this machine cannot see the password',
    );
  }
  if (username === undefined || username === '') {
    throw usageError(
      '--password-stdin needs --username',
      'for example --username NAME --password-stdin < FILE',
    );
  }
  const { readInput } = await import('../input.js');
  const input = await readInput(io.stdin(), {
    what: 'reading --password-stdin',
    limit: MAX_PASSWORD_SIZE,
    signal: io.signal,
  });
  const line = input.replace(/\r?\n$/, '');
  if (line !== '') return line;
  throw usageError(
    '--password-stdin: standard input is empty',
    'send it there: --password-stdin < FILE, or COMMAND | manifest-tool …',
  );
}
