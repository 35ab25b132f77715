import { createCredentialStore } from '../../credentials/store.js';
import { parseDuration } from '../../duration.js';
import { createClient, type Client } from '../../core/client.js';
import type { Credential, CredentialStore } from '../../http/auth/credential.js';
import type { Parsed } from '../command.js';
import type { Io } from '../io.js';
import { OPTIONS, placeholder, type OptionName } from '../args/options.js';
import type { Reporter } from '../progress/reporter.js';
import { tuneEngine } from '../tune-engine.js';
import { usageError } from '../args/usage.js';

const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];

/** The client of a command, with the settings of authentication and transport that its options give. */
export async function clientFor(parsed: Parsed, io: Io, reporter: Reporter): Promise<Client> {
  const { signal } = io;
  for (const name of PROXY_VARIABLES) reporter.secrets.addUrl(io.env[name] ?? '');
  return createClient({
    credentials: await credentialStore(parsed, io, reporter),
    credentialsFirst: parsed.values.has('docker-cfg') || parsed.values.has('authfile'),
    plainHttp: hostRule(parsed, 'plain-http'),
    insecure: hostRule(parsed, 'insecure'),
    env: io.env,
    ...optional('caFile', value(parsed, 'ca-file')),
    ...optional('certFile', value(parsed, 'cert-file')),
    ...optional('keyFile', value(parsed, 'key-file')),
    ...optional('certDir', value(parsed, 'cert-dir')),
    signal,
    ...optional('retries', count(parsed, 'retry', 0)),
    ...optional('concurrency', count(parsed, 'concurrency', 1)),
    ...optional('retryDelayMs', duration(parsed, 'retry-delay')),
    ...optional('timeoutMs', duration(parsed, 'timeout')),
    onLoad: tuneEngine,
    onWait: (wait) => reporter.wait(wait),
    onWarning: (text) => reporter.warning(text),
    onSecret: (secret) => reporter.secrets.add(secret),
    ...(parsed.switches.has('debug') ? { onRequest: (record) => reporter.request(record) } : {}),
  });
}

/** The credential of the command line, or the files and helpers; secrets are kept out of all output. */
async function credentialStore(
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<CredentialStore> {
  const typed = await givenCredential(parsed, io, reporter);
  const store =
    typed === undefined
      ? createCredentialStore({
          ...optional('dockerConfig', value(parsed, 'docker-cfg')),
          ...optional('authFile', value(parsed, 'authfile')),
          env: io.env,
          signal: io.signal,
          onWarning: (text) => reporter.warning(text),
        })
      : { get: () => Promise.resolve(typed), has: () => Promise.resolve(true) };
  return {
    async get(host, repository) {
      const found = await store.get(host, repository);
      if (found?.kind === 'password') reporter.secrets.addPassword(found.username, found.password);
      else if (found !== undefined) reporter.secrets.add(found.token);
      return found;
    },
    has: (host, repository) => store.has(host, repository),
  };
}

/** The credential of --username, for every registry; undefined if it is not given. */
async function givenCredential(
  parsed: Parsed,
  io: Io,
  reporter: Reporter,
): Promise<Credential | undefined> {
  const username = value(parsed, 'username') ?? '';
  const password = (await givenPassword(parsed, io)) ?? '';
  reporter.secrets.add(password);
  if (username !== '') return { kind: 'password', username, password, source: '--username' };
  if (password === '') return undefined;
  throw usageError('a password has no user name', 'give --username with it');
}

async function givenPassword(parsed: Parsed, io: Io): Promise<string | undefined> {
  const typed = value(parsed, 'password');
  if (!parsed.switches.has('password-stdin')) return typed;
  if (typed !== undefined) {
    throw usageError(
      'give --password or --password-stdin, not both',
      'other users of this machine cannot see what comes by --password-stdin',
    );
  }
  if (!parsed.values.has('username')) {
    throw usageError(
      '--password-stdin needs --username',
      'for example --username NAME --password-stdin < FILE',
    );
  }
  const password = (await io.readStdin()).replace(/\r?\n$/, '');
  if (password === '') {
    throw usageError(
      '--password-stdin: standard input has no password',
      'send it there: --password-stdin < FILE, or COMMAND | manifest-tool …',
    );
  }
  return password;
}

function count(parsed: Parsed, name: OptionName, least: number): number | undefined {
  const text = value(parsed, name);
  if (text === undefined) return undefined;
  if (/^[0-9]{1,3}$/.test(text) && Number(text) >= least) return Number(text);
  throw usageError(
    `--${name} ${JSON.stringify(text)} is not a number from ${least} to 999`,
    `for example --${name} 4`,
  );
}

export function duration(parsed: Parsed, name: OptionName): number | undefined {
  const text = value(parsed, name);
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds;
  throw usageError(
    `--${name} ${JSON.stringify(text)} is no time`,
    `for example --${name} 500ms, 2s or 1m30s`,
  );
}

/** The value of an option that is given at most once. */
export function value(parsed: Parsed, name: OptionName): string | undefined {
  return parsed.values.get(name)?.[0];
}

/** The items of an option that takes a comma-separated list, again and again; blanks around an item are not part of it. */
export function items(parsed: Parsed, name: OptionName): string[] {
  const list = (parsed.values.get(name) ?? [])
    .flatMap((each) => each.split(','))
    .map((item) => item.trim());
  if (list.includes('')) {
    throw usageError(
      `option --${name} has an empty item`,
      `write --${name} ${placeholder(OPTIONS[name]!)}, and no comma that nothing follows`,
    );
  }
  return list;
}

function hostRule(parsed: Parsed, name: OptionName): (host: string) => boolean {
  const given = new Set(parsed.values.get(name) ?? []);
  if (given.has(''))
    throw usageError(
      `option --${name}= names no host`,
      `write --${name}, or --${name}=localhost:5000`,
    );
  return (host) => given.has('true') || given.has(host);
}

export function optional<K extends string, V>(key: K, item: V | undefined): { [P in K]?: V } {
  return item === undefined ? {} : ({ [key]: item } as { [P in K]?: V });
}
