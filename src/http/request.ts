import type { Attempts } from '../attempts.js';

/** One request with a body that can be sent again: any layer may repeat it. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  /** Names in lower case; set once. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A body that is too large to be held; instead of `body`. */
  readonly upload?: StreamedBody;
  /** The most that is read of the answer, in bytes; more is an error. */
  readonly maxBytes: number;
  /** Leaves the body of a successful answer to be read as it comes, see {@link HttpResponse.stream}. */
  readonly streamed?: boolean;
  /** How long the answer may take to begin, in milliseconds, where it is not as long as others. */
  readonly answerTimeoutMs?: number;
  /** What the answer must prove of itself where its status is 2xx; throws {@link DamagedBody} where it does not. */
  readonly check?: (response: HttpResponse) => void;
  /** What the request needs to be allowed, for the layer that gets tokens. */
  readonly scopes?: readonly Scope[];
  /** How often this request may be sent again, if not as often as others. */
  readonly retries?: number;
  /** Attempts that it shares with the other requests of its operation; its own if there are none. */
  readonly attempts?: Attempts;
  /** Where the credentials came from that sign this request, for the log. */
  readonly signedWith?: string;
}

/** An answer, read whole. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
  /** The body as it comes, where that was asked for and the status is 2xx; it has to be read to its end or destroyed. */
  readonly stream?: BodyStream;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  /** How many attempts it took. */
  readonly attempts?: number;
}

/** A body that is sent as it comes. It can be opened again: any layer may repeat the request. */
export interface StreamedBody {
  /** In bytes: it is announced, and never sent in pieces of unknown number. */
  readonly length: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A body that is read as it comes. */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  destroy(): void;
}

/** One layer of the transport: takes a request and answers it, mostly by way of the next layer. */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

/** A resource and what is to be done with it (Docker Registry v2 token authentication, Requesting a token). */
export interface Scope {
  readonly repository: string;
  readonly actions: readonly string[];
}

/** The fields of an answer's head; a field that came on several lines keeps them apart. */
export class HttpHeaders {
  constructor(private readonly fields: Readonly<Record<string, string | string[] | undefined>>) {}

  /** The first value of a field, by its name in lower case. */
  first(name: string): string | undefined {
    return this.all(name)[0];
  }

  all(name: string): string[] {
    const value = this.fields[name];
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  }
}

/** A body that is not what it says or what was asked for; asking again may help. */
export class DamagedBody extends Error {}

/** More than `maxBytes` came. */
export class BodyTooLarge extends Error {
  constructor(readonly maxBytes: number) {
    super(`the answer is larger than ${maxBytes} bytes`);
  }
}

/** Whether a status means that the request was done. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
