import type { CliResult } from '../../support/cli.js';

/** The forms in which a secret could be read in a text. */
export function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(secret),
    encodeURIComponent(bytes.toString('base64')),
    JSON.stringify(secret).slice(1, -1),
  ];
}

/** Fails where a secret can be read in what was printed, in whatever form. */
export function expectNoSecret({ stdout, stderr }: CliResult, secrets: readonly string[]): void {
  const text = stdout + stderr;
  const found = secrets.flatMap((secret) => formsOf(secret).filter((form) => text.includes(form)));
  if (found.length > 0) throw new Error(`${found.join(' and ')} can be read in: ${text}`);
}
