'use strict';

/** An example, copied out, installed and started as a user does it. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { EXAMPLES } = require('../../dev/link-examples');
const { hearing, joinCluster } = require('../examples/adapter');
const { redisFor, start } = require('../examples/run');
const { LIMIT } = require('../support/limits');
const { App, packLocal } = require('./support');

test('examples/adapter-cluster runs by `npm install && npm start`', LIMIT, async (t) => {
  const { platform, main } = packLocal();
  const app = new App();
  for (const file of ['index.js', 'package.json', 'page.html'])
    fs.copyFileSync(path.join(EXAMPLES, 'adapter-cluster', file), path.join(app.dir, file));
  app.install([main.tarball, platform.tarball], []);

  const redis = await redisFor(t);
  const cluster = await start(t, 'adapter-cluster', { redis, workers: 2, by: { command: 'npm start', cwd: app.dir } });
  await hearing(redis, 2);
  assert.ok(cluster.nodes.includes((await joinCluster(t, cluster, ['polling', 'websocket'])).node));
});
