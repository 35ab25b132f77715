import type { Dispatcher } from 'undici';
import type { Http2Choice } from './http2-choice.js';

/** The connections to one origin. */
export interface Origin {
  /** Those of HTTP/1.1. */
  readonly http1: Dispatcher;
  /** Where the server is asked whether it speaks HTTP/2. */
  readonly http2?: Http2Choice;
  /** Closes all of them; requests that are under way fail. */
  destroy(): Promise<void>;
}
