import { words } from './words.mjs';

/** Inputs of the Action, without node-version. */
const NAMES = /** @type {const} */ ([
  'spec',
  'target',
  'template',
  'platforms',
  'digests',
  'sources',
  'tags',
  'type',
  'require',
  'annotations',
  'verify',
  'at-least',
  'same-as',
  'require-attestations',
  'args',
]);

/** @typedef {(typeof NAMES)[number]} Name */
/** @typedef {Record<Name, string>} Inputs */

/** Commands that accept --metadata-file. */
const PUBLISHING = new Set(['add', 'annotate', 'copy', 'create', 'push', 'remove']);

/** Inputs for what is published, and for what is verified. */
const ONLY_PUBLISHED = /** @type {const} */ (['tags', 'type', 'require', 'annotations']);
const ONLY_VERIFIED = /** @type {const} */ (['at-least', 'same-as', 'require-attestations']);

/**
 * The inputs as the Action passes them to its steps: INPUT_SPEC, INPUT_AT_LEAST and so on. An input
 * that is not given is the empty string.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Inputs}
 */
export function inputsOf(env) {
  const entries = NAMES.map((name) => {
    return [name, env[`INPUT_${name.toUpperCase().replaceAll('-', '_')}`] ?? ''];
  });
  return /** @type {Inputs} */ (Object.fromEntries(entries));
}

/**
 * The arguments of manifest-tool for these inputs. Each input is the value of an option, or an
 * operand after `--`, so that none can be taken for an option.
 * @param {Inputs} inputs
 * @returns {{ args: string[], acceptsMetadataFile: boolean }}
 * @throws {Error} the inputs cannot be combined
 */
export function commandLine(inputs) {
  /** @param {Name} name */
  const isGiven = (name) => inputs[name].trim() !== '';
  /** @param {readonly Name[]} names @param {string} reason */
  const refuse = (names, reason) => {
    const extra = names.filter(isGiven);
    if (extra.length > 0) throw new Error(`${extra.join(' and ')} cannot be given ${reason}`);
  };
  /** The option of an input, if it is given. @param {Name} name @param {readonly string[]} values */
  const option = (name, values) => (isGiven(name) ? [`--${name}=${values.join(',')}`] : []);

  const { spec, target, template, platforms, digests, sources, args } = inputs;
  const more = words(args);
  if (isGiven('verify')) {
    refuse(
      ['spec', 'target', 'template', 'digests', 'sources', ...ONLY_PUBLISHED],
      'with verify: verify in a step of its own',
    );
    const requirements = [
      ...option('platforms', items(platforms)),
      ...option('at-least', items(inputs['at-least'])),
      ...option('same-as', [inputs['same-as'].trim()]),
      ...option('require-attestations', items(inputs['require-attestations'])),
    ];
    const command = ['--json', 'verify', ...requirements, ...more, '--', inputs.verify.trim()];
    return { args: command, acceptsMetadataFile: false };
  }
  refuse(ONLY_VERIFIED, 'without verify, the reference to verify');

  const shared = [
    ...option('type', [inputs.type.trim()]),
    ...option('require', items(inputs.require)),
    ...lines(inputs.annotations).map((annotation) => `--annotation=${annotation}`),
    ...items(inputs.tags).map((tag) => `--tag=${tag}`),
    ...more,
  ];
  /** @param {string[]} command */
  const publish = (command) => ({ args: ['--json', ...command], acceptsMetadataFile: true });
  if (isGiven('spec')) {
    refuse(['target', 'template', 'platforms', 'digests', 'sources'], 'with spec');
    return publish(['push', 'from-spec', ...shared, '--', ...lines(spec)]);
  }
  if (isGiven('digests') || isGiven('sources')) {
    refuse(['template', 'platforms'], 'with digests or sources');
    if (!isGiven('target') && !isGiven('tags'))
      throw new Error('target or tags must be given with digests or sources');
    return publish([
      'create',
      ...option('target', [target.trim()]),
      ...option('digests', [digests.trim()]),
      ...shared,
      '--',
      ...lines(sources),
    ]);
  }
  /** @type {readonly Name[]} */
  const ofTemplate = ['target', 'template', 'platforms'];
  if (ofTemplate.some(isGiven)) {
    const missing = ofTemplate.filter((name) => !isGiven(name));
    if (missing.length > 0) {
      throw new Error(
        `${missing.join(' and ')} must be given too: target goes with template and platforms, or with digests or sources`,
      );
    }
    return publish([
      'push',
      'from-args',
      ...option('platforms', items(platforms)),
      ...option('template', [template.trim()]),
      ...option('target', [target.trim()]),
      ...shared,
    ]);
  }
  if (!isGiven('args')) {
    throw new Error(
      'nothing to do: give spec, or target with template and platforms, or digests or sources, or verify, or args',
    );
  }
  refuse(ONLY_PUBLISHED, 'with args alone');
  return {
    args: ['--json', ...more],
    acceptsMetadataFile:
      PUBLISHING.has(more[0] ?? '') && !more.some((word) => /^--?metadata-file(?:=|$)/.test(word)),
  };
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
