'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { sentinelsFor, start } = require('./run.js');
const { hearing, join } = require('./store.js');
const { LIMIT } = require('../support/limits.js');

test('examples/store-sentinel: what is said is heard, and again when the master is gone', LIMIT, async (t) => {
  const { all, env } = await sentinelsFor(t);
  const starting = ['addresses', 'ioredis'].map((CLIENT) => start(t, 'store-sentinel', { env: { ...env, CLIENT } }));
  const servers = await Promise.all(starting);
  await hearing((await all.master()).server, servers.length);
  const joined = [await join(t, servers[0]), await join(t, servers[1])];

  /** @param {string} text */
  const say = async (text) => {
    for (const [index, { client, node }] of joined.entries()) {
      await client.ask('name', `${text} ${index}`);
      await client.emit('say', text);
      const said = { name: `${text} ${index}`, text, node };
      for (const each of joined) assert.deepEqual(await each.client.event('said'), [said]);
    }
  };
  await say('hellö');
  const dead = await all.killMaster();
  await hearing((await all.promoted(dead.port)).server, servers.length);
  await say('again');
});
