'use strict';

/** The options of `createStreamsAdapter`: those of the official function, and ours. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { hashCode } = require('@socket.io/redis-streams-adapter/dist/util');
const index = require('../../../index.js');
const { streamNames, streamOf } = require('../../../lib/adapter/stream-options');
const { LIMIT } = require('../../support/limits');

const { createStreamsAdapter } = index;
const URL = 'redis://localhost:6379';

/** @type {[string, any][]} */
const BAD = [
  ['streamName', { streamName: 7 }],
  ['streamCount', { streamCount: 0 }],
  ['streamCount', { streamCount: 1025 }],
  ['streamCount', { streamCount: '3' }],
  ['maxLen', { maxLen: -1 }],
  ['readCount', { readCount: 1.5 }],
  ['blockTimeInMs', { blockTimeInMs: -1 }],
  ['blockTimeInMs', { blockTimeInMs: '5000' }],
  ['sessionKeyPrefix', { sessionKeyPrefix: 7 }],
  ['channelPrefix', { channelPrefix: null }],
  ['useShardedPubSub', { useShardedPubSub: 'yes' }],
  ['onlyPlaintext', { onlyPlaintext: 1 }],
  ['heartbeatInterval', { heartbeatInterval: 'often' }],
  ['heartbeatTimeout', { heartbeatTimeout: 0 }],
  ['persistSessions', { persistSessions: 'never' }],
  ['recovery', { recovery: 100 }],
  ['recovery.packets', { recovery: { packets: 0 } }],
  ['recovery.bytes', { recovery: { bytes: 'many' } }],
  ['recovery.time', { recovery: { time: 7 } }],
  ['requestsTimeout', { requestsTimeout: -1 }],
  ['limits.rooms', { limits: { rooms: 0.5 } }],
  ['overflow', { overflow: 'never' }],
  ['key', { key: 'socket.io' }],
  ['parser', { parser: { encode() {}, decode() {} } }],
  ['subscriptionMode', { subscriptionMode: 'static' }],
  ['streamname', { streamname: 'socket.io' }],
  ['opts', 7],
];

describe('options', LIMIT, () => {
  for (const [option, opts] of BAD) {
    it(`${option}: ${JSON.stringify(opts)} is refused at once`, () => {
      assert.throws(() => createStreamsAdapter(URL, opts), { name: 'TypeError', code: 'ERR_INVALID_OPTION', option });
    });
  }

  it('of the official function are taken, and ours', () => {
    const opts = {
      streamName: 'chat',
      streamCount: 3,
      maxLen: 100,
      readCount: 10,
      blockTimeInMs: 0,
      sessionKeyPrefix: 'chat:',
      channelPrefix: '',
      useShardedPubSub: true,
      onlyPlaintext: true,
      heartbeatInterval: 1000,
      heartbeatTimeout: 2000,
      persistSessions: /** @type {const} */ ('always'),
      recovery: { packets: 10, bytes: 1000 },
      requestsTimeout: 1000,
    };
    for (const args of [[], [URL], [URL, opts], [null, opts], [{ host: 'localhost', port: 6379 }, opts]]) {
      assert.equal(typeof createStreamsAdapter(.../** @type {[any, any]} */ (args)), 'function');
    }
  });

  it('do not stand among those of an endpoint', () => {
    assert.throws(() => createStreamsAdapter(/** @type {any} */ ({ streamName: 'chat' })), {
      code: 'ERR_INVALID_OPTION',
      option: 'client.streamName',
      message: /createStreamsAdapter\(endpoint, \{ streamName \}\)/,
    });
  });

  it('of this function are none of the other ones', () => {
    assert.throws(() => index.createAdapter(URL, URL, /** @type {any} */ ({ streamName: 'chat' })), {
      option: 'streamName',
    });
  });
});

describe('the stream of a namespace', LIMIT, () => {
  it('is the one that the official adapter takes, and is read', () => {
    const one = { streamName: 's', streamCount: 1 };
    assert.equal(streamOf(one, '/whatever'), 's');
    assert.deepEqual(streamNames(one), ['s']);
    const three = { streamName: 's', streamCount: 3 };
    const official = { '/': 's-2', '/chat': 's-1', '/notifications': 's--2', '/presence': 's--1' };
    for (const [nsp, stream] of Object.entries(official)) {
      assert.equal(`s-${hashCode(nsp) % 3}`, stream);
      assert.equal(streamOf(three, nsp), stream);
      assert.ok(streamNames(three).includes(stream));
    }
  });
});
