/** Shorter ones are not looked for: they would be found in every text. */
const MIN_LENGTH = 4;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer) [A-Za-z0-9._~+/-]{8,}=*/gi, '$1 REDACTED'],
  [/\b(Basic) (?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}/g, '$1 REDACTED'],
  [/\b(https?:\/\/)[^/\s@"']+@/gi, '$1REDACTED@'],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g, 'REDACTED'],
];

/** The secrets of one run, and the one way to say something without them: every message and debug line passes through {@link redact}. */
export class Secrets {
  private forms: string[] = [];

  /** Remembers a secret in the forms in which it could turn up: as it is, in base64, in a URL, in JSON. */
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

  /** Remembers a password, also in the form in which Basic authentication sends it with its user. */
  addPassword(username: string, password: string): void {
    this.add(`${username}:${password}`);
    this.add(password);
  }

  /** Remembers the password in a URL, as it is written there and as it is sent. */
  addUrl(url: string): void {
    const [, username, password] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^:@/]*):(.+)@/i.exec(url) ?? [];
    if (username === undefined || password === undefined) return;
    this.addPassword(username, password);
    try {
      this.addPassword(decodeURIComponent(username), decodeURIComponent(password));
    } catch {
      // It is no text in percent-encoding: what is written is what there is.
    }
  }

  /** The text with every secret replaced, those that are known and those that look like one. */
  redact(text: string): string {
    let clean = text;
    for (const form of this.forms) clean = clean.replaceAll(form, 'REDACTED');
    for (const [pattern, replacement] of PATTERNS) clean = clean.replaceAll(pattern, replacement);
    return clean;
  }

  /** Redacted, and cut to so many characters: the other way round, half of a secret could be left over. */
  redactAndCut(text: string, length: number): string {
    const clean = this.redact(text);
    return clean.length > length ? `${clean.slice(0, length)}…` : clean;
  }
}
