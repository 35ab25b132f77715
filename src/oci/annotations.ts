import type { Annotations } from './descriptor.js';

/** Annotations to set; those with the value undefined are removed. */
export type AnnotationChanges = ReadonlyMap<string, string | undefined>;

/** Annotations with changes applied. */
export function changedAnnotations(
  annotations: Annotations | undefined,
  changes: AnnotationChanges,
): Annotations {
  const changed = new Map(annotations);
  for (const [key, value] of changes) {
    if (value === undefined) changed.delete(key);
    else changed.set(key, value);
  }
  return changed;
}

/** Whether changes set an annotation; removing one is not setting one. */
export function setsAnnotation(changes: AnnotationChanges | undefined): boolean {
  return [...(changes?.values() ?? [])].some((value) => value !== undefined);
}
