import type { Credential } from '../http/auth/credential.js';
import type { HelperSetting } from './docker-config.js';
import { configError, quoted } from './errors.js';
import { helperMessage } from './helper-message.js';
import { findExecutable, runHelper, type HelperOutcome, type HelperRun } from './helper-process.js';
import { isObject, member } from './json.js';
import { helperKey } from './keys.js';

/** The suffix comes from a config: with a slash, it would name a file and bypass PATH. */
const SUFFIX = /^[A-Za-z0-9._-]+$/;
/**
 * What a helper prints to its standard output if it has no credential for a host
 * (docker-credential-helpers, credentials/error.go).
 */
const NOT_FOUND = 'credentials not found in native keychain';
/**
 * The user name that marks the secret as an identity token (docker/cli,
 * credentials/native_store.go).
 */
const TOKEN_USERNAME = '<token>';
const TIMEOUT_MS = 30_000;

/**
 * Asks a helper for the credential of a host; undefined if it says that it has none.
 * @throws {ManifestToolError} CONFIG if the helper is not installed or fails in any other way, with
 * its reason but never with a secret; INTERRUPTED if the signal was aborted.
 */
export type AskHelper = (helper: HelperSetting, host: string) => Promise<Credential | undefined>;

export interface HelperOptions {
  readonly env: HelperRun['env'];
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A way to ask helpers that runs each at most once for a host, whatever the outcome. */
export function createHelpers(options: HelperOptions): AskHelper {
  const { env, timeoutMs = TIMEOUT_MS, signal } = options;
  const outcomes = new Map<string, Promise<HelperOutcome>>();
  const run = async (name: string, serverKey: string): Promise<HelperOutcome> => {
    const file = await findExecutable(name, env);
    if (file === undefined) return { kind: 'failed', why: 'is not installed' };
    return runHelper({ file, serverKey, env, timeoutMs, signal });
  };
  return async (helper, host) => {
    const what = `finding the credential for ${host}`;
    if (!SUFFIX.test(helper.suffix) || helper.suffix.includes('..')) {
      const suffix = quoted(helper.suffix.slice(0, 100));
      throw configError(what, `${suffix} (${helper.setting}) is not a credential helper`, {
        hint: 'use the part of the program name after docker-credential-, for example pass',
      });
    }
    const name = `docker-credential-${helper.suffix}`;
    const cacheKey = `${name} ${helperKey(host)}`;
    const outcome = outcomes.get(cacheKey) ?? run(name, helperKey(host));
    outcomes.set(cacheKey, outcome);
    const result = read(await outcome, `${name} (${helper.setting})`);
    if (!('why' in result)) return result.credential;
    const hint =
      result.why === 'is not installed'
        ? `install ${name} in an absolute directory of PATH, or remove the setting`
        : `try \`${name} list\`, which shows no secrets`;
    throw configError(what, `credential helper ${name} (${helper.setting}) ${result.why}`, {
      hint,
    });
  };
}

/**
 * The suffix of the helper that docker uses on this platform if none is configured; undefined if it
 * is not installed. On Linux the program `pass` decides, as in docker (docker/cli,
 * credentials/default_store_*.go).
 */
export async function detectHelper(
  env: HelperRun['env'],
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const suffix = await defaultHelper(env, platform);
  if (suffix === undefined) return undefined;
  const file = await findExecutable(`docker-credential-${suffix}`, env, platform);
  return file === undefined ? undefined : suffix;
}

async function defaultHelper(
  env: HelperRun['env'],
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  if (platform === 'darwin') return 'osxkeychain';
  if (platform === 'win32') return 'wincred';
  if (platform !== 'linux') return undefined;
  return (await findExecutable('pass', env, platform)) === undefined ? 'secretservice' : 'pass';
}

type Result = { readonly credential: Credential | undefined } | { readonly why: string };

function read(outcome: HelperOutcome, source: string): Result {
  if (outcome.kind === 'failed') return outcome;
  if (outcome.code === 0) return readAnswer(outcome.stdout, source);
  const printed = outcome.stdout.trim();
  if (printed === NOT_FOUND) return { credential: undefined };
  const message = helperMessage(printed, outcome.stderr);
  const said = message === '' ? 'without a message' : `and said: ${message}`;
  return { why: `failed with exit code ${outcome.code} ${said}` };
}

function readAnswer(stdout: string, source: string): Result {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    // The engine's error quotes the answer.
    return { why: 'returned invalid JSON' };
  }
  if (!isObject(answer)) return { why: 'returned JSON that is not an object' };
  const username = member(answer, 'Username') ?? '';
  const secret = member(answer, 'Secret') ?? '';
  if (typeof username !== 'string' || typeof secret !== 'string')
    return { why: 'returned JSON whose Username or Secret is not a string' };
  if (username === '' && secret === '') return { credential: undefined };
  if (username === TOKEN_USERNAME)
    return { credential: { kind: 'identity-token', token: secret, source } };
  return { credential: { kind: 'password', username, password: secret, source } };
}
