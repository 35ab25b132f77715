/** Shorter secrets are not redacted: they would match parts of ordinary words. */
const MIN_LENGTH = 4;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer) [A-Za-z0-9._~+/-]{8,}=*/gi, '$1 REDACTED'],
  [/\b(Basic) (?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}/g, '$1 REDACTED'],
  [/\b(https?:\/\/)[^/\s@"']+@/gi, '$1REDACTED@'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, 'REDACTED'],
];

/**
 * The secrets of one run. Every message and debug line passes through {@link Secrets.redact}, so
 * that none of them is printed.
 */
export class Secrets {
  private forms: string[] = [];

  /**
   * Adds a secret in every form in which it could appear: as it is, in base64, in a URL, in JSON.
   */
  add(secret: string): void {
    if (secret.length < MIN_LENGTH) return;
    const base64 = Buffer.from(secret).toString('base64');
    const forms = [
      secret,
      base64,
      base64.replace(/=+$/, ''),
      Buffer.from(secret).toString('base64url'),
      encodeURIComponent(secret.toWellFormed()),
      encodeURIComponent(base64),
      new URLSearchParams([['', secret]]).toString().slice(1),
      JSON.stringify(secret).slice(1, -1),
    ];
    // The longest first: a form may be part of another one.
    this.forms = [...new Set([...this.forms, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** Adds a password, also in the form in which Basic authentication sends it with its user. */
  addPassword(username: string, password: string): void {
    this.add(`${username}:${password}`);
    this.add(password);
  }

  /** Adds the password in a URL, as it is written there and as it is sent. */
  addUrl(url: string): void {
    const [, username, password] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^:@/]*):(.+)@/i.exec(url) ?? [];
    if (username === undefined || password === undefined) return;
    this.addPassword(username, password);
    try {
      this.addPassword(decodeURIComponent(username), decodeURIComponent(password));
    } catch {
      // Not valid percent-encoding: the literal form was added above.
    }
  }

  /** Replaces every known secret, and everything that looks like one. */
  redact(text: string): string {
    let clean = text;
    for (const form of this.forms) clean = clean.replaceAll(form, 'REDACTED');
    for (const [pattern, replacement] of PATTERNS) clean = clean.replaceAll(pattern, replacement);
    return clean;
  }

  /**
   * Redacts, then cuts to `length` characters: the other way round, a part of a secret could
   * remain.
   */
  redactAndCut(text: string, length: number): string {
    const clean = this.redact(text);
    return clean.length > length ? `${clean.slice(0, length)}…` : clean;
  }
}
