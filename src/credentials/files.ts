import { access, close, open, read, stat } from 'node:fs';
import { promisify } from 'node:util';

/**
 * What is needed of `node:fs/promises`, which takes longer to load than all that is read here. Not by reading synchronously: a pipe that
 * nobody writes to could not be interrupted.
 */
export const files = {
  access: promisify(access),
  close: promisify(close),
  open: promisify(open),
  read: promisify(read),
  stat: promisify(stat),
};
