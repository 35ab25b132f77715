import type { Attempts } from '../attempts.js';

/** One request, which any layer may send again. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  /** By names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** A body that is too large to be held in memory; instead of `body`. */
  readonly upload?: StreamedBody;
  /**
   * Largest body of a successful answer, in bytes; a larger one is an error. 0 if its head alone
   * matters.
   */
  readonly maxBytes: number;
  /** Whether to return the body of a successful answer as a stream, see {@link HttpResponse.stream}. */
  readonly streamed?: boolean;
  /** Longest time until the answer begins, in milliseconds, if not the same as for other requests. */
  readonly answerTimeoutMs?: number;
  /** What is left of {@link Timeouts.answerMs}, if other attempts have used it. */
  readonly leftMs?: number;
  /** Checks an answer with status 2xx; throws {@link DamagedBody} for one that is damaged. */
  readonly check?: (response: HttpResponse) => void;
  /** What the request needs permission for, for the layer that gets tokens. */
  readonly scopes?: readonly Scope[];
  /**
   * Whether a refusal is an answer: no other token is requested for it. The registry distribution
   * demands the action `delete` to cancel an upload, which many users do not have.
   */
  readonly acceptsRefusal?: boolean;
  /** How often this request may be sent again, if not as often as others. */
  readonly retries?: number;
  /**
   * Whether an error is thrown after its first attempt, although it is transient: an outer layer
   * tries something else before it makes the other attempts.
   */
  readonly returnsEarly?: (error: unknown) => boolean;
  /** Attempts that it shares with the other requests of its operation; absent if it has its own. */
  readonly attempts?: Attempts;
  /**
   * What its call needs permission for in all, as far as that is known when it is read: one token
   * then serves every request of the call.
   */
  readonly expected?: readonly Scope[] | undefined;
  /** Aborts this request; without it, the signal of the client does. */
  readonly signal?: AbortSignal | undefined;
  /** Source of the credentials in the request, for the log. */
  readonly signedWith?: string;
}

/** An answer: read to its end, or as far as {@link bodyLimits} allows. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
  /** The body of a `streamed` request, if the status is 200; must be read to its end or destroyed. */
  readonly stream?: BodyStream;
  /** The URL that answered, after redirects. */
  readonly url: URL;
  /** How many attempts it took. */
  readonly attempts?: number;
}

/** A body that is sent as a stream; opened again each time the request is sent. */
export interface StreamedBody {
  /** In bytes; sent as Content-Length. */
  readonly length: number;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A body that is read as a stream. */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  /** Gives up what is left of it. */
  destroy(): void;
}

/** An answer whose body is still to be read. */
export interface BegunAnswer {
  readonly status: number;
  readonly headers: HttpHeaders;
  /** Must be read to its end or destroyed. */
  readonly body: BodyStream;
}

/** Sends a request and returns the answer, whatever its status. */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

/** One layer of a transport: answers a request, mostly by way of the next layer. */
export type Layer = (request: HttpRequest, next: Transport) => Promise<HttpResponse>;

/** A transport of layers, the outermost first. */
export function compose(layers: readonly Layer[], innermost: Transport): Transport {
  return layers.reduceRight<Transport>(
    (next, layer) => (request) => layer(request, next),
    innermost,
  );
}

/** Longest times before a request fails, in milliseconds; connecting has a limit of its own. */
export interface Timeouts {
  /** Until the answer begins. */
  readonly headersMs: number;
  /** Between two pieces of its body. */
  readonly idleMs: number;
  /** Until the whole answer has arrived, tries included; for a streamed one, until it begins. */
  readonly answerMs: number;
  /** The least that a streamed body may bring in a time. */
  readonly leastRate: { readonly bytes: number; readonly perMs: number };
}

/** A repository and the actions on it (Docker Registry v2 token authentication, Requesting a token). */
export interface Scope {
  readonly repository: string;
  readonly actions: readonly string[];
}

/** Header fields of an answer; the lines of a repeated field stay separate. */
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

/** A body that is damaged or not what was asked for; another attempt may help. */
export class DamagedBody extends Error {}

/** A body larger than `maxBytes`. */
export class BodyTooLarge extends Error {
  constructor(readonly maxBytes: number) {
    super(`the answer is larger than ${maxBytes} bytes`);
  }
}

/**
 * The header Content-Length of a request: some registries refuse a body without it, or an empty one
 * that does not say so.
 */
export function contentLength({
  method,
  body,
  upload,
}: HttpRequest): Readonly<Record<string, string>> {
  const isEmptyWrite = method === 'POST' || method === 'PUT';
  const length = upload?.length ?? body?.length ?? (isEmptyWrite ? 0 : undefined);
  return length === undefined ? {} : { 'content-length': String(length) };
}

/** Whether a status means success. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
