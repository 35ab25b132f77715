import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { ManifestToolError, systemCode } from '../errors.js';
import { openRegular } from './read-file.js';

/** How long to wait for another program. */
const WAIT_MS = 10_000;
/** A lock is held for one write of a small file: an older one has been left behind. */
const STALE_MS = 60_000;

/** A lock file as it was seen: what its owner wrote, and when. */
interface Seen {
  readonly text: string;
  readonly time: number;
}

/**
 * Runs `action` while this program alone holds the lock file. A lock whose owner is dead (on this
 * host), or that is older than a minute, is broken.
 * @throws {ManifestToolError} UNAVAILABLE where another program has it for more than ten seconds.
 */
export async function withLock<T>(
  what: string,
  file: string,
  action: () => Promise<T>,
): Promise<T> {
  const owner = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}\n`;
  await acquire(what, file, owner);
  try {
    return await action();
  } finally {
    await release(what, file, owner);
  }
}

async function acquire(what: string, file: string, owner: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!(await create(file, owner))) {
    const seen = await look(what, file);
    if (Date.now() > deadline) throw locked(what, file, seen);
    if (seen !== undefined && isStale(seen)) await breakLock(what, file, owner);
    const { setTimeout: delay } = process.getBuiltinModule('node:timers/promises');
    await delay(Math.random() * 20);
  }
}

/** Creates the lock file, or answers false where there is one. */
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

async function look(what: string, file: string): Promise<Seen | undefined> {
  const opened = await openRegular(what, file);
  if (opened === undefined) return undefined;
  try {
    const text = await opened.handle.readFile('utf8');
    return { text, time: opened.stats.mtimeMs };
  } finally {
    await opened.handle.close();
  }
}

function isStale({ text, time }: Seen): boolean {
  if (Date.now() - time > STALE_MS) return true;
  const [pid, host] = text.trim().split(' ');
  // A process of another host, or of another container, is not seen from here.
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
 * Takes a stale lock away. Several programs may have seen it, and the first of them may hold a lock
 * of its own by now, so they do this one at a time, behind a second lock, and look again.
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

/** Removes the lock file where it is still the one of this owner. */
async function release(what: string, file: string, owner: string): Promise<void> {
  const seen = await look(what, file);
  if (seen?.text === owner) await rm(file, { force: true });
}

function locked(what: string, file: string, seen: Seen | undefined): ManifestToolError {
  const pid = /^[0-9]+/.exec(seen?.text ?? '')?.[0];
  const owner = pid === undefined ? 'another program' : `another program (process ${pid})`;
  return new ManifestToolError('UNAVAILABLE', what, `${owner} holds the lock ${file}`, {
    hint: 'try again; remove the lock file if no program writes to this layout',
  });
}
