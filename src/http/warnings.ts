import type { Layer } from './request.js';

/** Largest size of all warnings of one registry, in bytes (OCI distribution-spec, Warnings). */
const MAX_TOTAL_BYTES = 4096;
/** How many warnings of one registry are reported. */
const MAX_REPORTED = 10;
/** How many different further warnings are remembered, so that a repeated one is counted once. */
const MAX_COUNTED = 100;

/** `299 - "text"`, the only form in the specification; quotes and backslashes in the text are escaped. */
const WARNING = /^299 - "((?:[^"\\]|\\.)*)"$/;

/** The warnings of one registry: remote text, which is reported and never acted on. */
export class RegistryWarnings {
  private readonly reported = new Set<string>();
  private readonly others = new Set<string>();
  private bytes = 0;

  constructor(private readonly onWarning: (text: string) => void) {}

  /** Reports the first ten warnings, each once. */
  readonly layer: Layer = async (request, next) => {
    const response = await next(request);
    for (const value of response.headers.all('warning')) this.add(value);
    return response;
  };

  /** Reports how many more there were. */
  close(): void {
    const { size } = this.others;
    this.others.clear();
    if (size === 0) return;
    const count = size === MAX_COUNTED ? `${size} or more` : String(size);
    this.onWarning(`(${count} further ${size === 1 ? 'warning' : 'warnings'} not shown)`);
  }

  private add(value: string): void {
    const text = WARNING.exec(value.trim())?.[1]?.replaceAll(/\\(.)/g, '$1');
    if (text === undefined || this.reported.has(text)) return;
    const bytes = Buffer.byteLength(text);
    if (this.reported.size < MAX_REPORTED && this.bytes + bytes <= MAX_TOTAL_BYTES) {
      this.bytes += bytes;
      this.reported.add(text);
      this.onWarning(text);
    } else if (this.others.size < MAX_COUNTED) this.others.add(text);
  }
}
