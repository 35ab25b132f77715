/** Entries of an index: one with more is neither read nor written. */
export const MAX_INDEX_ENTRIES = 10_000;

/** Bytes of a manifest, an index or a config: one with more is neither read nor written. */
export const MAX_DOCUMENT_SIZE = 4 * 1024 * 1024;

/** Levels of indexes inside an index that are followed. */
export const MAX_NESTING = 4;

/**
 * Entries that a walk follows, those of indexes inside the index counted as often as they are
 * named. A few kilobytes can name a million manifests: an index whose ten entries all name one
 * index of ten entries, six levels deep.
 */
export const MAX_NAMED_ENTRIES = 20_000;
