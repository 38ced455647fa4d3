'use strict';

/**
 * Packs all packages for publishing; it fails when a platform's binary is missing, or names its builder's folders.
 *
 *     node scripts/pack-release.js BINARIES OUT
 *
 * BINARIES is the folder with all `.node` files, OUT is where the tarballs go.
 */

const fs = require('node:fs');
const path = require('node:path');
const { buildersPaths, list, packAll } = require('./packages');

const [binaries, out] = process.argv.slice(2).map((dir) => path.resolve(dir));
if (!binaries || !out) throw new Error('Usage: node scripts/pack-release.js BINARIES OUT');
for (const file of fs.readdirSync(binaries).filter((name) => name.endsWith('.node'))) {
  const [found] = buildersPaths(path.join(binaries, file));
  if (found) throw new Error(`${file} has ${found} in it: build it with the RUSTFLAGS of scripts/rust-flags.js.`);
}
list(packAll({ out, binaries }));
