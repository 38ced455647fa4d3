'use strict';

/**
 * Packs the main package and this platform's, as they would be published, from what
 * `npm run build` made:
 *
 *     npm run build && npm run pack:local [-- DIR]     into DIR, else artifacts/
 *     cd my-app && npm install …/artifacts/*.tgz
 */

const path = require('node:path');
const { ROOT, list, packAll, thisPlatform } = require('./packages');

const out = path.resolve(process.argv[2] ?? path.join(ROOT, 'artifacts'));
list(packAll({ out, binaries: path.join(ROOT, 'lib/native'), only: [thisPlatform()] }));
