'use strict';

const { test } = require('node:test');
const { assertChat, hearing, join, start } = require('./adapter.js');
const { sentinelsFor } = require('./run.js');
const { LIMIT } = require('../support/limits.js');

const CLIENTS = ['addresses', 'ioredis', 'redis'];

test('examples/adapter-sentinel: what is said is heard, and again when the master is gone', LIMIT, async (t) => {
  const { all, env } = await sentinelsFor(t);
  const starting = CLIENTS.map((CLIENT) => start(t, 'adapter-sentinel', { env: { ...env, CLIENT } }));
  const servers = await Promise.all(starting);
  await hearing((await all.master()).server, servers.length);
  const joined = await Promise.all(servers.map((server) => join(t, server)));
  await assertChat(joined);

  const dead = await all.killMaster();
  await hearing((await all.promoted(dead.port)).server, servers.length);
  await assertChat(joined);
});
