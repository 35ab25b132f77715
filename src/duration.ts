const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  µs: 0.001,
  us: 0.001,
  ns: 0.000_001,
};

/**
 * Parses a duration as Go writes it (`1m30s`, `10.3ms`), or a number of seconds, to milliseconds,
 * rounded up; undefined if it is neither.
 */
export function parseDuration(text: string): number | undefined {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  if (!/^(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|s|µs|us|ns))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(h|ms|m|s|µs|us|ns)/g)];
  return Math.ceil(
    parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit!]!, 0),
  );
}

/** A time span for people: `0.5 s`, `12 s`, `3 min`, `24 h`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 0.1) return `${Math.ceil(milliseconds)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
