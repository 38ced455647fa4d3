'use strict';

/**
 * For `node -r`: has the examples find Socket.IO 4 by its name, as in an application. In this
 * checkout `socket.io` is 0.9, and 4 has another name.
 */

const Module = require('node:module');
const path = require('node:path');

const EXAMPLES = path.join(__dirname, '..', '..', 'examples') + path.sep;
const EXPRESS = '@nestjs/platform-express';

const resolve = /** @type {any} */ (Module)._resolveFilename;

/**
 * @param {string} name what is required
 * @param {{ filename: string } | undefined} parent where
 * @param {...any} rest
 */
function resolveForAdapter(name, parent, ...rest) {
  if (name === 'socket.io' && parent?.filename.startsWith(EXAMPLES)) return resolve('socket.io-4', parent, ...rest);
  try {
    return resolve(name, parent, ...rest);
  } catch (error) {
    if (name === EXPRESS) return require.resolve('./platform-express.js');
    throw error;
  }
}

/** @type {any} */ (Module)._resolveFilename = resolveForAdapter;
