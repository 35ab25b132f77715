import { words } from './words.mjs';

/** Inputs of the Action that say what to publish. */
const NAMES = /** @type {const} */ ([
  'spec',
  'target',
  'template',
  'platforms',
  'tags',
  'type',
  'args',
]);

/** @typedef {Record<(typeof NAMES)[number], string>} Inputs */

/**
 * The inputs as the Action passes them to its steps: INPUT_SPEC and so on. An input that is not given is the empty string.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Inputs}
 */
export function inputsOf(env) {
  const entries = NAMES.map((name) => [name, env[`INPUT_${name.toUpperCase()}`] ?? '']);
  return /** @type {Inputs} */ (Object.fromEntries(entries));
}

/**
 * The arguments of manifest-tool for these inputs. Each input is the whole value of an option, or a file after `--`, so that
 * none can be taken for an option.
 * @param {Inputs} inputs
 * @throws {Error} the inputs cannot be combined
 */
export function commandLine(inputs) {
  /** @type {readonly string[]} */
  const given = NAMES.filter((name) => inputs[name].trim() !== '');
  const { spec, target, template, platforms, tags, type, args } = inputs;
  const shared = [
    ...(given.includes('type') ? [`--type=${type.trim()}`] : []),
    ...items(tags).map((tag) => `--tag=${tag}`),
    ...words(args),
  ];
  const ofTemplate = ['target', 'template', 'platforms'];
  if (given.includes('spec')) {
    refuse(given, ofTemplate, 'spec');
    return ['--json', 'push', 'from-spec', ...shared, '--', ...lines(spec)];
  }
  if (given.some((name) => ofTemplate.includes(name))) {
    const missing = ofTemplate.filter((name) => !given.includes(name));
    if (missing.length > 0) {
      throw new Error(
        `${missing.join(' and ')} must be given too: target, template and platforms go together`,
      );
    }
    return [
      '--json',
      'push',
      'from-args',
      `--platforms=${items(platforms).join(',')}`,
      `--template=${template.trim()}`,
      `--target=${target.trim()}`,
      ...shared,
    ];
  }
  if (!given.includes('args')) {
    throw new Error('nothing to publish: give spec, or target, template and platforms, or args');
  }
  refuse(given, ['tags', 'type'], 'args alone');
  return ['--json', ...words(args)];
}

/** @param {readonly string[]} given @param {readonly string[]} names @param {string} beside */
function refuse(given, names, beside) {
  const extra = names.filter((name) => given.includes(name));
  if (extra.length > 0) throw new Error(`${extra.join(' and ')} cannot be given with ${beside}`);
}

/** @param {string} text */
function lines(text) {
  return trimmed(text.split(/\r?\n/));
}

/** @param {string} text */
function items(text) {
  return trimmed(text.split(/[\n,]/));
}

/** @param {readonly string[]} texts */
function trimmed(texts) {
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}
