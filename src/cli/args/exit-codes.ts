/** The exit codes, for the help in a word and for the manual in a sentence. */
export const EXIT_MEANINGS: readonly {
  readonly code: number;
  readonly word: string;
  readonly meaning: string;
}[] = [
  { code: 0, word: 'done', meaning: 'done' },
  { code: 1, word: 'failed', meaning: 'any failure that none of the others is' },
  { code: 2, word: 'wrong use', meaning: 'wrong use: the command line, a spec, a configuration' },
  { code: 3, word: 'not found', meaning: 'something that is needed is not found' },
  { code: 4, word: 'not allowed', meaning: 'not allowed, or not authenticated' },
  {
    code: 5,
    word: 'registry unavailable',
    meaning: 'the registry is unavailable or limits the rate of requests, after all retries',
  },
  {
    code: 6,
    word: 'refused',
    meaning:
      'refused to overwrite, a verification that failed, or a registry that takes no kind of list',
  },
  { code: 130, word: 'interrupted', meaning: 'interrupted' },
];
