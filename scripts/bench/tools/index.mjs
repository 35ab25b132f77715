import { buildah, podman } from './buildah.mjs';
import { buildx } from './buildx.mjs';
import { crane } from './crane.mjs';
import { docker } from './docker.mjs';
import { manifestTool } from './manifest-tool.mjs';
import { oras } from './oras.mjs';
import { ours } from './ours.mjs';
import { regctl } from './regctl.mjs';
import { skopeo } from './skopeo.mjs';

/**
 * What one run of a job does; references point to the proxies.
 * @typedef {object} Task
 * @property {string} home an empty folder, also HOME
 * @property {readonly string[]} platforms `os/arch[/variant]`
 * @property {readonly string[]} sources the images: one per platform, or the one to copy or inspect
 * @property {string} template the sources as a template of manifest-tool
 * @property {string} target
 * @property {readonly string[]} hosts `host:port` of the registries
 * @property {boolean} isPlain whether they use plain HTTP
 */

/**
 * A program to measure. It cannot do jobs that are missing in `jobs`.
 * @typedef {object} Tool
 * @property {string} name
 * @property {readonly string[]} command its name in PATH, and arguments that always follow
 * @property {readonly string[]} version arguments that print its version
 * @property {RegExp} versionPattern matches that output, with the version as the first group; other programs of the same name do not match
 * @property {(home: string) => void} [prepare]
 * @property {Readonly<Record<string, (task: Task) => readonly (readonly string[])[]>>} jobs arguments; several commands run in sequence
 */

/** All tools; the others are compared with the first. @type {readonly Tool[]} */
export const TOOLS = [
  ours,
  manifestTool,
  crane,
  oras,
  regctl,
  buildx,
  docker,
  skopeo,
  buildah,
  podman,
];
