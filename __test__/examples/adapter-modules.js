'use strict';

/**
 * For `node -r`: has the examples find Socket.IO 4 and the clients of Redis by their names, as in an application. In
 * this checkout `socket.io` is 0.9, and 4 has another name.
 */

const { isExample, resolve } = require('./client-modules.js');

const Module = require('node:module');

const EXPRESS = '@nestjs/platform-express';

/**
 * @param {string} name what is required
 * @param {{ filename: string } | undefined} parent where
 * @param {...any} rest
 */
function resolveForAdapter(name, parent, ...rest) {
  if (name === 'socket.io' && isExample(parent)) return resolve('socket.io-4', parent, ...rest);
  try {
    return resolve(name, parent, ...rest);
  } catch (error) {
    if (name === EXPRESS) return require.resolve('./platform-express.js');
    throw error;
  }
}

/** @type {any} */ (Module)._resolveFilename = resolveForAdapter;
