'use strict';

/**
 * Packages as they are on disk when the program runs. A bundler does not see what is required here, so it
 * puts nothing of it into the bundle.
 */

const { createRequire } = require('node:module');
const path = require('node:path');

/** The folder of this package, or of the bundle that it is in; a bundle of ES modules does not say. */
const HERE = typeof __dirname === 'string' ? __dirname : undefined;
const main = typeof require === 'function' ? require.main : undefined;

/**
 * The folders from which packages may be seen. This package sees them where npm has laid them out; the
 * application always does.
 * @returns {string[]}
 */
function folders() {
  const script = process.argv[1] === undefined ? undefined : path.dirname(process.argv[1]);
  return /** @type {string[]} */ ([HERE, main?.path, script, process.cwd()].filter((each) => typeof each === 'string'));
}

/**
 * Requires a package as it is seen from a folder.
 * @param {string} folder
 * @param {string} name
 * @param {...string} through packages, of which the first is seen from the folder and each sees the
 *   next, the last one what is to be required
 * @returns {any} nothing where it cannot be required
 */
function requireFrom(folder, name, ...through) {
  try {
    let from = createRequire(path.join(folder, 'index.js'));
    for (const each of through) from = createRequire(from.resolve(each));
    return from(name);
  } catch {
    return undefined;
  }
}

module.exports = { folders, requireFrom };
