import { describe, expect, it } from 'vitest';
import { hintFor } from '../../src/cli/progress/hints.js';
import { EXIT_CODES, ManifestToolError, unreadableHint, type ErrorCode } from '../../src/errors.js';

// As root nothing is denied, so the errors are made and not provoked.
describe('a file that cannot be read', () => {
  it.each([
    ['EACCES', 'check its permissions, and those of the directories that lead to it'],
    ['EPERM', 'check its permissions, and those of the directories that lead to it'],
    ['EISDIR', 'use a file in it'],
    ['EMFILE', 'allow more open files: ulimit -n'],
    ['ENAMETOOLONG', 'use a shorter path'],
    ['ENOENT', 'check the path'],
    ['ENOTDIR', 'check the path'],
    ['EIO', 'check the path'],
  ])('%s', (code, hint) => {
    expect(unreadableHint(Object.assign(new Error(code), { code }))).toBe(hint);
  });
});

describe('an error without a hint of its own', () => {
  it.each(Object.keys(EXIT_CODES) as ErrorCode[])('%s', (code) => {
    const error = new ManifestToolError(code, 'what', 'why');
    expect(hintFor(error, { command: 'push from-args' })).toMatch(
      /^(see "manifest-tool push from-args --help"$|run it again|--debug)/,
    );
    expect(hintFor(error, {})).toMatch(/^(see "manifest-tool --help"$|run it again|--debug)/);
  });
});
