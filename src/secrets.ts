import { decodings, type DecodedText, type Range } from './decoded-text.js';

/** Shorter secrets are not redacted: they would match parts of ordinary words. */
const MIN_LENGTH = 4;
/** Encodings inside each other that are undone, such as JSON in a page of HTML. */
const MAX_ENCODINGS = 3;

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
   * Adds a secret, as it is and in base64 or hexadecimal digits, alone or as a part of what is
   * encoded. Other forms are decoded, see {@link Secrets.redact}.
   */
  add(secret: string): void {
    if (secret.length < MIN_LENGTH) return;
    const hex = Buffer.from(secret).toString('hex');
    const forms = [
      secret,
      // In a form of HTML (application/x-www-form-urlencoded).
      secret.replaceAll(' ', '+'),
      hex,
      hex.toUpperCase(),
      ...base64Forms(secret),
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

  /**
   * Replaces every known secret, and everything that looks like one. A registry may repeat a secret
   * in another form, so escapes are decoded and what they stand for is searched as well.
   */
  redact(text: string): string {
    let clean = text;
    for (const form of this.forms) clean = clean.replaceAll(form, 'REDACTED');
    for (const [pattern, replacement] of PATTERNS) clean = clean.replaceAll(pattern, replacement);
    const found: Range[] = [];
    let views = decodings(clean);
    for (let depth = 0; views.length > 0 && depth < MAX_ENCODINGS; depth += 1) {
      for (const view of views)
        found.push(...this.forms.flatMap((form) => occurrences(view, form)));
      views = views.flatMap((view) => view.decodings());
    }
    return without(clean, found);
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

/** What every base64 encoding of a text that contains `secret` contains, by where it begins there. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    // Characters that depend on the bytes around the secret are left out.
    const begin = Math.ceil((before * 8) / 6);
    const end = Math.floor((all.length * 8) / 6);
    const forms = [all.toString('base64'), all.toString('base64url')];
    const whole = before === 0 ? [forms[0]!, ...forms.map((form) => form.replace(/=+$/, ''))] : [];
    return [...whole, ...forms.map((form) => form.slice(begin, end))];
  });
}

/** Where a decoded text holds `form`, in the original. */
function occurrences(view: DecodedText, form: string): Range[] {
  const found: Range[] = [];
  for (let at = view.text.indexOf(form); at !== -1; at = view.text.indexOf(form, at + 1))
    found.push(view.origin(at, at + form.length));
  return found;
}

/** A text with REDACTED in place of some ranges, which may overlap. */
function without(text: string, ranges: readonly Range[]): string {
  let result = '';
  let done = 0;
  for (const { begin, end } of ranges.toSorted((a, b) => a.begin - b.begin)) {
    if (begin >= done) result += `${text.slice(done, begin)}REDACTED`;
    done = Math.max(done, end);
  }
  return result + text.slice(done);
}
