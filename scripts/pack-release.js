'use strict';

/**
 * Packs all packages for publishing; it fails when a platform's binary is missing.
 *
 *     node scripts/pack-release.js BINARIES OUT
 *
 * BINARIES is the folder with all `.node` files, OUT is where the tarballs go.
 */

const path = require('node:path');
const { list, packAll } = require('./packages');

const [binaries, out] = process.argv.slice(2).map((dir) => path.resolve(dir));
if (!binaries || !out) throw new Error('Usage: node scripts/pack-release.js BINARIES OUT');
list(packAll({ out, binaries }));
