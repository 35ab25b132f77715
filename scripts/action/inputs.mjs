import { words } from './words.mjs';

/** All inputs of the Action that say what is published. */
const NAMES = ['spec', 'target', 'template', 'platforms', 'tags', 'type', 'args'];

/** The inputs as the steps of the Action get them: INPUT_SPEC and so on. One that is not given is an empty text. */
export function inputsOf(env) {
  return Object.fromEntries(NAMES.map((name) => [name, env[`INPUT_${name.toUpperCase()}`] ?? '']));
}

/**
 * The arguments of manifest-tool for these inputs. An input is always one whole value of an option, or a file behind `--`, so that
 * none can be taken for an option.
 * @throws {Error} where the inputs do not go together.
 */
export function commandLine(inputs) {
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
    throw new Error(
      'nothing is to be published: give spec, or target, template and platforms, or args',
    );
  }
  refuse(given, ['tags', 'type'], 'args alone');
  return ['--json', ...words(args)];
}

function refuse(given, names, beside) {
  const extra = names.filter((name) => given.includes(name));
  if (extra.length > 0) throw new Error(`${extra.join(' and ')} cannot be given with ${beside}`);
}

function lines(text) {
  return trimmed(text.split(/\r?\n/));
}

function items(text) {
  return trimmed(text.split(/[\n,]/));
}

function trimmed(texts) {
  return texts.map((text) => text.trim()).filter((text) => text !== '');
}
