'use strict';

/** What the garbage collector may take of a store, and what not. */

const assert = require('node:assert/strict');
const { after, afterEach, before, it } = require('node:test');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { LIMIT } = require('../support/limits.js');
const { clientList, inbox, opener, subscribe, until } = require('../support/stores.js');
const { runProgram } = require('./store-programs.js');

const WELL = { code: 0, signal: null, output: '' };

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());
const open = opener(RedisStore, () => server);
afterEach(async () => {
  await until(async () => (await clientList(server)).length === 0);
  assert.equal(await server.command('DBSIZE'), 0);
});

it('a destroyed store is collected, used or not', LIMIT, async (t) => {
  const { reported, ended } = runProgram(t, 'destroyed', { url: server.url, count: 20 });
  assert.equal(await reported, 'collected');
  assert.deepEqual(await ended, WELL);
});

it('a store destroyed while Redis is silent calls back with errors, and is collected', LIMIT, async (t) => {
  const { child, reported, ended } = runProgram(t, 'unanswered', { url: server.url, count: 5 });
  assert.equal(await reported, 'used');
  const answer = inbox();
  child.on('message', answer);
  server.pause();
  t.after(() => server.resume());
  child.send('silent');
  // Whichever is over first: the time for an answer, or that for leaving.
  const [{ codes }] = await answer.next();
  assert.ok(codes.length > 0);
  for (const code of codes) assert.match(code, /^ERR_(COMMAND_TIMEOUT|CLOSED)$/);
  assert.deepEqual(await ended, WELL);
  server.resume();
  await server.command('FLUSHALL');
});

it('a store that was never destroyed lives on though nobody holds it, and answers', LIMIT, async (t) => {
  const { child, reported, ended } = runProgram(t, 'abandoned', { url: server.url });
  assert.equal(await reported, 'abandoned');
  const [store, answers, states] = [open(), inbox(), inbox()];
  child.on('message', states);
  await subscribe(store, 'answer', answers);
  for (let i = 0; i < 3; i++) {
    store.publish('ask', i);
    assert.deepEqual(await answers.next(), [i]);
    child.send('alive');
    assert.deepEqual((await states.next())[0], 1);
  }
  child.send('destroy');
  assert.deepEqual(await ended, WELL);
  const closed = new Promise((resolve) => {
    store.once('close', resolve);
  });
  store.destroy();
  await closed;
});
