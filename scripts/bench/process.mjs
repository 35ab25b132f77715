import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * How a process ended. `code` is null if it was killed, -1 if it could not be started.
 * @typedef {{ code: number | null, seconds: number, peakMib: number | undefined, stdout: string, stderr: string }} Ended
 */

const SAMPLE_MS = 10;
const TIME_LIMIT_MS = 120_000;
const MAX_TEXT = 64 * 1024;

/**
 * Runs a command to its end and measures it. Peak memory is the sum for the process and its
 * children, sampled from /proc every few milliseconds; undefined on systems without /proc.
 * @param {readonly string[]} argv
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<Ended>}
 */
export function run([command = '', ...args], env) {
  const start = performance.now();
  // A process group of its own, so that its children end with it.
  const child = spawn(command, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => killGroup(child.pid);
  process.once('exit', kill);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  /** @type {Map<number, number>} KiB by process. */
  const peaks = new Map();
  const sample = setInterval(() => samplePeaks(child.pid, peaks), SAMPLE_MS);
  const limit = setTimeout(kill, TIME_LIMIT_MS);

  return new Promise((resolve) => {
    /** @param {number | null} code @param {string} [problem] */
    const finish = (code, problem) => {
      const seconds = (performance.now() - start) / 1000;
      clearInterval(sample);
      clearTimeout(limit);
      process.off('exit', kill);
      const kib = [...peaks.values()].reduce((sum, each) => sum + each, 0);
      const peakMib = kib === 0 ? undefined : kib / 1024;
      resolve({ code, seconds, peakMib, stdout: stdout(), stderr: problem ?? stderr() });
    };
    child.once('error', (error) => finish(-1, error.message));
    child.once('close', (code) => {
      if (child.pid === undefined) return;
      const isLate = performance.now() - start >= TIME_LIMIT_MS;
      finish(code, isLate ? `it did not end within ${TIME_LIMIT_MS / 1000} s` : undefined);
    });
  });
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

/** @param {NodeJS.ReadableStream} stream */
function collect(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    if (text.length < MAX_TEXT) text += chunk;
  });
  return () => text;
}

/** Samples a process and its descendants. @param {number | undefined} pid @param {Map<number, number>} peaks */
function samplePeaks(pid, peaks) {
  if (pid === undefined || process.platform !== 'linux') return;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kib !== undefined) peaks.set(pid, Number(kib));
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      for (const child of children.split(' ').filter(Boolean)) samplePeaks(Number(child), peaks);
    }
  } catch {
    // It has ended, or the kernel does not list children.
  }
}
