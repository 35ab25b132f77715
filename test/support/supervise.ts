import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Runs "$@", ends it when standard input ends (the tests have stopped it, or were killed themselves), and then removes
 * its folder with all that is mounted there. So nothing stays behind, whatever happens to the process of the tests.
 */
const SUPERVISOR = `
folder=$1; shift
exec 3<&0
"$@" </dev/null >"$folder/log" 2>&1 3<&- & child=$!
{ cat <&3; kill "$child"; } >/dev/null 2>&1 & watcher=$!
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
tail -c 2000 "$folder/log" 2>/dev/null
umount "$folder/exec/netns/default" "$folder/data" 2>/dev/null
rm -rf "$folder"
exit "$status"
`;

export interface Supervised {
  /** Ends it, waits for that, and removes its folder. */
  stop(): Promise<void>;
  /** Polls until `isReady`; throws with the end of its log where it ends before that, or takes too long. */
  ready(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void>;
}

export function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'mt-test-'));
}

/** Starts a server; `folder`, a {@link temporaryFolder} that holds its data, goes with it. */
export function supervise(folder: string, command: string, args: readonly string[]): Supervised {
  // In a process group of its own, so that Ctrl-C reaches the tests only, and they end it in order.
  const child = spawn('sh', ['-c', SUPERVISOR, 'supervisor', folder, command, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let hasEnded = false;
  let log = '';
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      hasEnded = true;
      resolve();
    });
  });
  child.once('error', (error) => {
    log += error.message;
  });
  child.stdin.on('error', () => {});
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });

  const stop = async (): Promise<void> => {
    child.stdin.destroy();
    const late = sleep(60_000, 'late' as const, { ref: false });
    if ((await Promise.race([ended, late])) !== 'late' || child.pid === undefined) return;
    process.kill(-child.pid, 'SIGKILL');
    throw new Error(`${command} did not end within 60 s and was killed; its folder is ${folder}`);
  };
  const ready = async (isReady: () => Promise<boolean>, timeoutMs: number): Promise<void> => {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      if (!hasEnded && (await isReady())) return;
      const isLate = performance.now() > deadline;
      if (hasEnded || isLate) break;
      await sleep(10);
    }
    const what = hasEnded ? 'ended at its start' : `was not ready after ${timeoutMs} ms`;
    await stop();
    throw new Error(`${command} ${what}: ${log.trim()}`);
  };
  return { stop, ready };
}
