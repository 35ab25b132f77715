import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { pause } from '../concurrency.js';
import { ManifestToolError, systemCode } from '../errors.js';
import { withRegularFile } from './files.js';

/** How long to wait for another program. */
const WAIT_MS = 10_000;
/** A lock is held for one write of a small file; an older one was left behind. */
const STALE_MS = 60_000;
/** Upper bound of the random delay between two attempts. */
const RETRY_MS = 20;

/** A lock file as it was seen: what its owner wrote, and when. */
interface Seen {
  readonly owner: string;
  readonly time: number;
}

/**
 * Runs `action` while this program alone holds the lock file. A lock is broken if its owner is a
 * process of this host that has ended, or if it is older than a minute.
 * @throws {ManifestToolError} UNAVAILABLE if another program holds it for more than ten seconds.
 * @throws the reason of `signal` if it is aborted before the lock is acquired; `action` then does
 * not run.
 */
export async function withLock<T>(
  what: string,
  file: string,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  const owner = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}\n`;
  await acquire(what, file, owner, signal);
  try {
    signal.throwIfAborted();
    return await action();
  } finally {
    await release(what, file, owner);
  }
}

async function acquire(
  what: string,
  file: string,
  owner: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await create(file, owner))) {
    const seen = await look(what, file);
    if (Date.now() > deadline) throw locked(what, file, seen);
    if (seen !== undefined && isStale(seen)) await breakLock(what, file, owner);
    await pause(Math.random() * RETRY_MS, signal);
  }
}

/** Creates the lock file; false if there is one. */
async function create(file: string, owner: string): Promise<boolean> {
  const handle = await open(file, 'wx').catch((error: unknown) => {
    if (systemCode(error) === 'EEXIST') return undefined;
    throw error;
  });
  if (handle === undefined) return false;
  try {
    await handle.writeFile(owner);
    return true;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

function look(what: string, file: string): Promise<Seen | undefined> {
  return withRegularFile(what, file, async ({ handle, stats }) => ({
    owner: await handle.readFile('utf8'),
    time: stats.mtimeMs,
  }));
}

function isStale({ owner, time }: Seen): boolean {
  if (Date.now() - time > STALE_MS) return true;
  const [pid, host] = owner.trim().split(' ');
  // Processes of another host or container cannot be seen from here.
  return host === hostname() && /^[1-9][0-9]*$/.test(pid!) && !isAlive(Number(pid));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}

/**
 * Removes a stale lock. Several programs may have seen it, and the first of them may hold a new
 * lock by now, so they take turns behind a second lock and look again.
 */
async function breakLock(what: string, file: string, owner: string): Promise<void> {
  const breaker = `${file}.break`;
  if (!(await create(breaker, owner))) {
    await removeStale(what, breaker);
    return;
  }
  try {
    await removeStale(what, file);
  } finally {
    await rm(breaker, { force: true });
  }
}

async function removeStale(what: string, file: string): Promise<void> {
  const seen = await look(what, file);
  if (seen !== undefined && isStale(seen)) await rm(file, { force: true });
}

/** Removes the lock file unless another program has taken it over. */
async function release(what: string, file: string, owner: string): Promise<void> {
  const seen = await look(what, file);
  if (seen?.owner === owner) await rm(file, { force: true });
}

function locked(what: string, file: string, seen: Seen | undefined): ManifestToolError {
  const pid = /^[0-9]+/.exec(seen?.owner ?? '')?.[0];
  const owner = pid === undefined ? 'another program' : `another program (process ${pid})`;
  return new ManifestToolError('UNAVAILABLE', what, `${owner} holds the lock ${file}`, {
    hint: 'try again; remove the lock file if no program writes to this layout',
  });
}
