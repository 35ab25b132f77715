import { asWritable, Members, sortedByBytes, type Writable } from './go-marshal.js';
import { isJsonObject, type JsonObject, type JsonValue } from './parse.js';

type MemberList = [string, Writable | undefined][];

/**
 * An image config in the field order of image-spec's `v1.Image`, followed by the members that the
 * struct does not have, which manifest-tool drops.
 */
export function configMembers(config: JsonObject): Members {
  const text = (key: string): Writable => asWritable(config.get(key) ?? '');
  return withUnknown(config, [
    ['created', time(config.get('created'))],
    ['author', filled(config.get('author'))],
    ['architecture', text('architecture')],
    ['os', text('os')],
    ['os.version', filled(config.get('os.version'))],
    ['os.features', filled(config.get('os.features'))],
    ['variant', filled(config.get('variant'))],
    [
      'config',
      isJsonObject(config.get('config'))
        ? runMembers(config.get('config') as JsonObject)
        : new Members([]),
    ],
    ['rootfs', rootfsMembers(config.get('rootfs'))],
    ['history', filled(config.get('history'), historyMembers)],
  ]);
}

/** image-spec `v1.ImageConfig`. */
function runMembers(config: JsonObject): Members {
  return withUnknown(config, [
    ['User', filled(config.get('User'))],
    ['ExposedPorts', filled(config.get('ExposedPorts'))],
    ['Env', filled(config.get('Env'))],
    ['Entrypoint', filled(config.get('Entrypoint'))],
    ['Cmd', filled(config.get('Cmd'))],
    ['Volumes', filled(config.get('Volumes'))],
    ['WorkingDir', filled(config.get('WorkingDir'))],
    ['Labels', filled(config.get('Labels'))],
    ['StopSignal', filled(config.get('StopSignal'))],
    ['ArgsEscaped', filled(config.get('ArgsEscaped'))],
  ]);
}

/** image-spec `v1.RootFS`: never omitted, and a missing list is null. */
function rootfsMembers(rootfs: JsonValue | undefined): Members {
  const fields = isJsonObject(rootfs) ? rootfs : new Map<string, JsonValue>();
  return withUnknown(fields, [
    ['type', asWritable(fields.get('type') ?? '')],
    ['diff_ids', asWritable(fields.get('diff_ids') ?? null)],
  ]);
}

/** image-spec `v1.History`. */
function historyMembers(item: JsonValue): Writable {
  if (!isJsonObject(item)) return asWritable(item);
  return withUnknown(item, [
    ['created', time(item.get('created'))],
    ['created_by', filled(item.get('created_by'))],
    ['author', filled(item.get('author'))],
    ['comment', filled(item.get('comment'))],
    ['empty_layer', filled(item.get('empty_layer'))],
  ]);
}

function withUnknown(object: JsonObject, known: MemberList): Members {
  const names = new Set(known.map(([name]) => name));
  const unknown = [...object].filter(([name]) => !names.has(name));
  return new Members([
    ...known,
    ...unknown.map(([name, value]): [string, Writable] => [name, asWritable(value)]),
  ]);
}

/** A value with sorted map keys; undefined if Go's `omitempty` omits it. */
function filled(
  value: JsonValue | undefined,
  item: (value: JsonValue) => Writable = asWritable,
): Writable | undefined {
  if (value === undefined || value === null || value === '' || value === false) return undefined;
  if (isJsonObject(value))
    return value.size === 0 ? undefined : (sortedByBytes(value) as Map<string, Writable>);
  if (Array.isArray(value))
    return value.length === 0 ? undefined : (value as JsonValue[]).map(item);
  return asWritable(value);
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/;

/** A time as Go serializes it: nanoseconds without trailing zeros, a zero offset as Z. */
function time(value: JsonValue | undefined): Writable | undefined {
  const match = typeof value === 'string' ? RFC3339.exec(value) : null;
  if (match === null) return filled(value);
  const fraction = (match[2] ?? '').slice(0, 9).replace(/0+$/, '');
  const zone = /^[+-]00:00$/.test(match[3]!) ? 'Z' : match[3]!;
  return `${match[1]!}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}
