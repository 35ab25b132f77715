import type { Credential } from '../http/auth/credential.js';
import { findExecutable } from './executable.js';
import { configError, oneLine, quoted } from './errors.js';
import { runHelper, type HelperOutcome, type HelperRun } from './helper-process.js';
import { isObject, member } from './json.js';
import { helperKey } from './keys.js';

/**
 * The name is data of a config: with a slash in it, it would name a file and no longer be looked
 * up on PATH.
 */
const SUFFIX = /^[A-Za-z0-9._-]+$/;
/**
 * What a helper prints, on its standard output, where it has nothing for a host.
 * (docker-credential-helpers, credentials/error.go)
 */
const NOT_FOUND = 'credentials not found in native keychain';
/** Failures that helpers print there as well. */
const KNOWN_FAILURES = ['no credentials server URL', 'no credentials username'];
/**
 * The user name that says that the secret is an identity token. (docker/cli,
 * credentials/native_store.go)
 */
const TOKEN_USERNAME = '<token>';
const TIMEOUT_MS = 30_000;

/**
 * A helper, and which setting chose it, for messages: `credsStore in /home/x/.docker/config.json`.
 */
export interface HelperSetting {
  readonly suffix: string;
  readonly setting: string;
  /** Nobody has set it: it was found on this machine. */
  readonly isDetected?: boolean;
}

/**
 * Asks a helper for the credential of a host; undefined where it says that it has none.
 * @throws {ManifestToolError} CONFIG where the helper is not installed or fails in any other way,
 * never with what it printed on its standard output, which can be a secret; INTERRUPTED where the
 * signal came.
 */
export type AskHelper = (helper: HelperSetting, host: string) => Promise<Credential | undefined>;

export interface HelperOptions {
  readonly env: HelperRun['env'];
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The way to ask helpers. Each is run once for a host, whatever came of it. */
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
      const why = `${quoted(helper.suffix.slice(0, 100))} (${helper.setting})`;
      throw configError(what, `${why} is no name of a credential helper`, {
        hint: 'it is what stands behind docker-credential- in the name of the program, for example pass',
      });
    }
    const name = `docker-credential-${helper.suffix}`;
    const cacheKey = `${name} ${helperKey(host)}`;
    const outcome = outcomes.get(cacheKey) ?? run(name, helperKey(host));
    outcomes.set(cacheKey, outcome);
    const result = read(await outcome, `${name} (${helper.setting})`);
    if (!('why' in result)) return result.credential;
    const hint = result.why === 'is not installed' ? install(name) : check(name);
    throw configError(what, `credential helper ${name} (${helper.setting}) ${result.why}`, {
      hint,
    });
  };
}

type Result = { readonly credential: Credential | undefined } | { readonly why: string };

function read(outcome: HelperOutcome, source: string): Result {
  if (outcome.kind === 'failed') return outcome;
  if (outcome.code === 0) return readAnswer(outcome.stdout, source);
  const printed = outcome.stdout.trim();
  if (printed === NOT_FOUND) return { credential: undefined };
  const known = KNOWN_FAILURES.find((failure) => failure === printed);
  const said = known ?? (oneLine(outcome.stderr) || 'nothing on its standard error');
  return { why: `ended with exit code ${outcome.code} and said: ${said}` };
}

function readAnswer(stdout: string, source: string): Result {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    // The engine's error quotes the answer.
    return { why: 'gave an answer that is not JSON' };
  }
  if (!isObject(answer)) return { why: 'gave an answer that is no JSON object' };
  const username = member(answer, 'Username') ?? '';
  const secret = member(answer, 'Secret') ?? '';
  if (typeof username !== 'string' || typeof secret !== 'string')
    return { why: 'gave an answer whose Username or Secret is no string' };
  if (username === '' && secret === '') return { credential: undefined };
  if (username === TOKEN_USERNAME)
    return { credential: { kind: 'identity-token', token: secret, source } };
  return { credential: { kind: 'password', username, password: secret, source } };
}

function install(name: string): string {
  return `install ${name} in an absolute directory of PATH, or take the setting out`;
}

function check(name: string): string {
  return `try \`${name} list\`, which shows no secrets`;
}
