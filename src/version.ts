/** The version of this program, from package.json: `npm version` changes both. */
export const VERSION = '0.1.0';
