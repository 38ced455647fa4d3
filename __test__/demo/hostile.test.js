'use strict';

/** A page that sends what the demo's own page never would. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const { io } = require('socket.io-client-4');
const { LIMIT } = require('../support/limits.js');
const { startDemo, VERSIONS } = require('./support.js');

const HOSTILE = [undefined, null, 7, '', 'constructor', '__proto__', {}, [], { on: true }, 'x'.repeat(10_000)];

test('what a page sends is checked, and its origin', LIMIT, async (t) => {
  const { url, said } = await startDemo(t, VERSIONS.adapter.args);
  const { origin } = new URL(url);
  const connect = (/** @type {string | undefined} */ from) => {
    const socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      ...(from && { extraHeaders: { origin: from } }),
    });
    t.after(() => socket.close());
    return socket;
  };

  for (const from of [undefined, 'http://example.com', 'null', 'http://127.0.0.1.example.com', '%']) {
    const [error] = await once(connect(from), 'connect_error');
    assert.ok(error, `${from} may not connect`);
  }

  const socket = connect(origin);
  await once(socket, 'connect');
  const ask = (/** @type {string} */ event, /** @type {unknown} */ value) =>
    new Promise((resolve) => socket.emit(event, value, resolve));
  assert.deepEqual(await ask('say', 'hi'), { message: 'This worker does not know you yet.' });
  for (const value of HOSTILE) socket.emit('hello', value, 'no function');
  const me = /** @type {any} */ (await ask('hello', { previous: '../../etc', nick: { a: 1 }, room: '__proto__' }));
  assert.equal(me.room, 'lobby');
  assert.match(me.nick, /^guest \w{4}$/);
  assert.equal(me.takenFrom, null);

  /** @type {any[]} */
  const heard = [];
  socket.on('said', ({ text }) => heard.push(text));
  socket.on('load', (text) => heard.push(text));
  for (const value of HOSTILE) {
    for (const event of [
      'say',
      'nick',
      'room',
      'load',
      'engine',
      'redis',
      'tick',
      'join the load',
      'speak',
      'report',
    ]) {
      socket.emit(event, value);
    }
  }
  await ask('say', 'The end');
  await new Promise((resolve) => {
    const check = () => heard.includes('The end') && resolve(undefined);
    check();
    socket.on('said', check);
  });
  for (const text of heard) assert.ok(typeof text === 'string' && text.length <= 500, `heard ${typeof text}`);
  assert.doesNotMatch(said.join('\n'), /restarts|is gone/, 'no worker has fallen');
});
