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
 * What a run of a job is about; references name the proxies.
 * @typedef {object} Task
 * @property {string} home an empty folder, which is HOME as well
 * @property {readonly string[]} platforms `os/arch[/variant]`
 * @property {readonly string[]} sources the images: one for each platform, or the one that is copied or inspected
 * @property {string} template the sources as templates of manifest-tool have them
 * @property {string} target
 * @property {readonly string[]} hosts `host:port` of the registries
 * @property {boolean} isPlain whether they are spoken to in plain HTTP
 */

/**
 * A program to measure. A job that is not in `jobs` is one that it cannot do.
 * @typedef {object} Tool
 * @property {string} name
 * @property {readonly string[]} command what it is called in PATH, and what always follows
 * @property {readonly string[]} version arguments that have it tell its version
 * @property {RegExp} versionPattern what it says then, with the version as its first group: a program of another kind says something else
 * @property {(home: string) => void} [prepare]
 * @property {Readonly<Record<string, (task: Task) => readonly (readonly string[])[]>>} jobs arguments; several commands run one after another
 */

/** All tools; the first is the one that the others are compared with. @type {readonly Tool[]} */
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
