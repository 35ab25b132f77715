import { configError, FORM_HINT } from './errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses a config. Only white space is an empty config, as in docker and podman
 * (`--authfile /dev/null`).
 * @throws {ManifestToolError} CONFIG if it is not JSON, or not an object. The engine's own error is
 * neither shown nor kept as the cause: it quotes the text, which can be a password.
 */
export function parseObject(what: string, text: string): JsonObject {
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw configError(what, `it is not JSON${position(text, error)}`, {
      hint: 'JSON allows no comments and no trailing commas, and needs double quotes',
    });
  }
  if (!isObject(value))
    throw configError(what, 'it is JSON, but not an object', { hint: FORM_HINT });
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A member by its name, or else by its name in any case: Go reads JSON like this, and so do docker
 * and its helpers.
 */
export function member(object: JsonObject, name: string): unknown {
  if (Object.hasOwn(object, name)) return object[name];
  const lower = name.toLowerCase();
  const key = Object.keys(object).find((each) => each.toLowerCase() === lower);
  return key === undefined ? undefined : object[key];
}

/**
 * Where the text stops being JSON, as far as the engine says. The end of its message never quotes
 * the text.
 */
function position(text: string, error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  const at = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(message)?.[1];
  const isCutOff = message === 'Unexpected end of JSON input';
  if (at === undefined) return isCutOff ? ': it is truncated' : '';
  const lines = text.slice(0, Number(at)).split('\n');
  return ` at ${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}
