/** The version of this program, from package.json: `npm version` changes both. */
export const VERSION = '1.0.0-rc.1';
