'use strict';

// Fills corpus/ with the goldens: `node fuzz/seed.js`.

const fs = require('node:fs');
const path = require('node:path');
const { operands } = require('../tests/golden/shapes');

const payloads = (name) => {
  const { published, handWritten } = require(`../tests/golden/${name}.json`);
  return [...published, ...handWritten].map(({ payload }) => Buffer.from(payload, 'hex'));
};

const { encoded, decoded } = require('../tests/golden/classic.json');

const corpora = {
  adapter: [...encoded, ...decoded].map(({ payload }) => Buffer.from(payload, 'hex')),
  json: payloads('json'),
  msgpack: payloads('msgpack'),
  node_id: operands.flatMap((value) => [String(value), JSON.stringify(value)]).map(Buffer.from),
};

for (const [target, seeds] of Object.entries(corpora)) {
  const folder = path.join(__dirname, 'corpus', target);
  fs.mkdirSync(folder, { recursive: true });
  seeds.forEach((seed, nth) => fs.writeFileSync(path.join(folder, `golden-${nth}`), seed));
}
