'use strict';

/** The ways in which an application takes createAdapter from the package. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');

describe('createAdapter', LIMIT, () => {
  it('is what require gives, as of the official package', () => {
    const official = require('@socket.io/redis-adapter');
    const ours = require('socket.io-redis-native');
    for (const each of [official, ours]) {
      assert.equal(typeof each, 'function');
      assert.equal(each, each.createAdapter);
    }
    assert.equal(ours.default, ours);
    assert.equal(typeof ours.RedisStore, 'function');
  });

  it('is what import gives, by default and by name', async () => {
    for (const name of ['@socket.io/redis-adapter', 'socket.io-redis-native']) {
      const imported = await import(name);
      assert.equal(imported.default, require(name));
      assert.equal(imported.createAdapter, imported.default);
    }
    const { Emitter, RedisStore, StreamsEmitter, WebSocketServer } = await import('socket.io-redis-native');
    assert.equal(typeof Emitter, 'function');
    assert.equal(Emitter, require('../..').Emitter);
    assert.equal(StreamsEmitter, require('../..').StreamsEmitter);
    assert.ok(StreamsEmitter.prototype instanceof Emitter);
    assert.equal(RedisStore, require('../..').RedisStore);
    assert.equal(typeof WebSocketServer, 'function');
    assert.equal(WebSocketServer, require('../..').WebSocketServer);
  });

  it('is what compiled modules find, with the interop of TypeScript and without', () => {
    const importDefault = (/** @type {any} */ module) => (module?.__esModule ? module : { default: module });
    const ours = require('../..');
    assert.equal(importDefault(ours).default, ours.createAdapter);
    assert.equal(ours.default, ours.createAdapter);
  });
});
