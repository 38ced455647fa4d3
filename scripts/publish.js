'use strict';

/**
 * Publishes what pack-release.js packed, with provenance: the platforms' packages first, so that
 * the main one never lists what is not there. What is published already is left out, so a run that
 * failed half-way can be repeated.
 *
 *     node scripts/publish.js PACKAGES
 *
 * With NODE_AUTH_TOKEN npm uses that; without, npm's trusted publishing.
 */

const path = require('node:path');
const { name, version } = require('../package.json');
const { npm, platforms } = require('./packages');

const dir = path.resolve(process.argv[2]);

/** @param {string} spec @returns {boolean} */
function isPublished(spec) {
  try {
    return npm(['view', spec, 'version'], dir).trim() !== '';
  } catch {
    return false;
  }
}

if (process.env.NODE_AUTH_TOKEN) {
  const registry = npm(['config', 'get', 'registry'], dir).trim();
  npm(['config', 'set', `${registry.replace(/^https?:/, '')}:_authToken=\${NODE_AUTH_TOKEN}`, '--location=user'], dir);
}
const tag = version.includes('-') ? 'next' : 'latest';
for (const each of [...platforms().map((platform) => `${name}-${platform}`), name]) {
  if (isPublished(`${each}@${version}`)) {
    console.log(`${each}@${version} is published already`);
  } else {
    console.log(
      npm(
        ['publish', path.join(dir, `${each}-${version}.tgz`), '--provenance', '--access', 'public', '--tag', tag],
        dir,
      ),
    );
  }
}
