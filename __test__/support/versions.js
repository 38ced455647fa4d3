'use strict';

/** The package beside an older Socket.IO, as npm lays them out: the base class is that one's. */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const ROOT = path.join(__dirname, '../..');

/**
 * @typedef {object} Installed
 * @property {any} Server Socket.IO's
 * @property {typeof import('../..').createAdapter} createAdapter of a copy of this package
 * @property {any} WebSocketServer of the same copy
 */

/** @type {Map<string, Installed>} */
const installed = new Map();

/**
 * @param {string} name an alias of socket.io in the devDependencies
 * @returns {Installed}
 */
function installBeside(name) {
  const known = installed.get(name);
  if (known !== undefined) return known;
  const app = fs.mkdtempSync(path.join(os.tmpdir(), `${name}-`));
  process.once('exit', () => fs.rmSync(app, { recursive: true, force: true }));
  const modules = path.join(app, 'node_modules');
  const copy = path.join(modules, 'socket.io-redis-native');
  fs.mkdirSync(copy, { recursive: true });
  const native = path.join(ROOT, 'lib/native');
  for (const part of ['index.js', 'package.json', 'lib']) {
    fs.cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true, filter: (file) => file !== native });
  }
  fs.symlinkSync(native, path.join(copy, 'lib/native'), 'junction');
  fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(modules, 'socket.io'), 'junction');
  fs.symlinkSync(path.join(ROOT, 'node_modules/notepack.io'), path.join(modules, 'notepack.io'), 'junction');
  const { Server } = require(path.join(modules, 'socket.io'));
  const { createAdapter, WebSocketServer } = require(copy);
  const both = { Server, createAdapter, WebSocketServer };
  installed.set(name, both);
  return both;
}

module.exports = { installBeside };
