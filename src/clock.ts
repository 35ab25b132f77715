/**
 * Milliseconds since this process began, which no change of the system's time moves; for differences. Takes none of the modules of Node
 * that `performance` loads at its first use.
 */
export function now(): number {
  return process.uptime() * 1000;
}
