import { createClient, type Client } from '../../core/client.js';
import {
  createCredentialLookup,
  createCredentialPeek,
  type CredentialOptions,
} from '../../credentials/store.js';
import type { CredentialLookup } from '../../http/auth/credential.js';
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

/** Runs `work` with a client that has the settings of the command line, and closes it on every path. */
export async function withClient<T>(
  args: ConnectionOptions,
  { io, reporter }: Surroundings,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  for (const name of PROXY_VARIABLES) reporter.secrets.addUrl(io.env[name] ?? '');
  const credentials = await credentialOptions(args, io, reporter);
  const client = createClient({
    credentials: redactedLookup(credentials, reporter),
    mayHaveCredential: createCredentialPeek(credentials),
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
    await client.close();
  }
}

async function credentialOptions(
  args: ConnectionOptions,
  io: Io,
  reporter: Reporter,
): Promise<CredentialOptions> {
  const password = args.passwordStdin ? await readPassword(args, io) : args.password;
  if (password !== undefined) reporter.secrets.add(password);
  return {
    username: args.username,
    password,
    dockerCfg: args.dockerCfg,
    authFile: args.authfile,
    env: io.env,
    signal: io.signal,
    onWarning: reporter.warning,
  };
}

/** The lookup; everything that it finds is kept out of what is reported. */
function redactedLookup(options: CredentialOptions, reporter: Reporter): CredentialLookup {
  const lookup = createCredentialLookup(options);
  return async (host, repository) => {
    const found = await lookup(host, repository);
    if (found?.kind === 'password') reporter.secrets.addPassword(found.username, found.password);
    else if (found !== undefined) reporter.secrets.add(found.token);
    return found;
  };
}

/** @throws {ManifestToolError} USAGE if other options contradict it, or nothing comes. */
async function readPassword({ username, password }: ConnectionOptions, io: Io): Promise<string> {
  if (password !== undefined) {
    throw usageError(
      'give --password or --password-stdin, not both',
      'other users of this machine cannot see what comes by --password-stdin',
    );
  }
  if (username === undefined) {
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
    '--password-stdin: standard input has no password',
    'send it there: --password-stdin < FILE, or COMMAND | manifest-tool …',
  );
}
