'use strict';

/**
 * What is supported is in versions.json alone. This makes of it
 *
 *     node scripts/versions.js readme    the table in README.md, between its two markers
 *     node scripts/versions.js matrix    lines `name=JSON` for $GITHUB_OUTPUT, of which the workflows make jobs
 */

const fs = require('node:fs');
const path = require('node:path');
const versions = require('../versions.json');

const README = path.join(__dirname, '..', 'README.md');
const BETWEEN_MARKERS = /(<!-- versions -->\n)[^]*?(<!-- \/versions -->)/;

/** @returns {string} the table, as Markdown */
function table() {
  const { node, bun, redis, valkey } = versions;
  const rows = [
    ['Node.js', node.engines.replace(/^>= /, '') + ' and later', node.tested, node.note],
    ['Bun', bun.range, bun.tested, bun.note],
    ...versions['socket.io'].map((each) => ['Socket.IO', each.range, Object.values(each.tested), each.note]),
    ['Redis', redis.range, redis.tested.map(({ version }) => version), redis.note],
    ['Valkey', valkey.range, valkey.tested.map(({ version }) => version), valkey.note],
  ];
  const lines = rows.map(([what, range, tested, note]) => `| ${what} | ${range} | ${tested.join(', ')} | ${note} |`);
  return ['| | supported | tested | |', '|---|---|---|---|', ...lines, ''].join('\n');
}

/** @param {string} readme @returns {string} the same with the table of today */
function withTable(readme) {
  if (!BETWEEN_MARKERS.test(readme)) throw new Error('README.md has no <!-- versions --> … <!-- /versions -->.');
  return readme.replace(BETWEEN_MARKERS, (_, begin, end) => `${begin}\n${table()}\n${end}`);
}

/** @returns {Record<string, any[]>} what the jobs of the workflows run on */
function matrix() {
  const { tested } = versions.node;
  const edges = [tested[0], tested[tested.length - 1]];
  const smoke = { 'ubuntu-24.04': tested, 'macos-15': edges, 'windows-2022': edges };
  const servers = [...versions.redis.tested, ...versions.valkey.tested].map(({ server }) => server);
  return {
    node: tested,
    smoke: Object.entries(smoke).flatMap(([runner, majors]) => majors.map((node) => ({ runner, node }))),
    // The whole suite runs with that of apt.
    servers: servers.filter((server) => server !== 'apt'),
  };
}

module.exports = { README, matrix, table, withTable };

if (require.main === module) {
  const [command] = process.argv.slice(2);
  if (command === 'readme') {
    fs.writeFileSync(README, withTable(fs.readFileSync(README, 'utf8')));
  } else if (command === 'matrix') {
    for (const [name, values] of Object.entries(matrix())) console.log(`${name}=${JSON.stringify(values)}`);
  } else {
    throw new Error('Usage: node scripts/versions.js readme|matrix');
  }
}
