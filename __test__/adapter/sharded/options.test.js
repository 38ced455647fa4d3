'use strict';

/** The options of `createShardedAdapter`: those of the official function, and ours. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const index = require('../../../index.js');
const { LIMIT } = require('../../support/limits');

const { createShardedAdapter } = index;
const URL = 'redis://localhost:6379';

/** @type {[string, any][]} */
const BAD = [
  ['channelPrefix', { channelPrefix: 7 }],
  ['channelPrefix', { channelPrefix: null }],
  ['subscriptionMode', { subscriptionMode: 'pattern' }],
  ['subscriptionMode', { subscriptionMode: 'Dynamic' }],
  ['subscriptionMode', { subscriptionMode: 7 }],
  ['requestsTimeout', { requestsTimeout: -1 }],
  ['limits.rooms', { limits: { rooms: 0.5 } }],
  ['overflow', { overflow: 'never' }],
  ['key', { key: 'socket.io' }],
  ['parser', { parser: { encode() {}, decode() {} } }],
  ['subscriptionModes', { subscriptionModes: 'static' }],
  ['opts', 7],
];

describe('options', LIMIT, () => {
  for (const [option, opts] of BAD) {
    it(`${option}: ${JSON.stringify(opts)} is refused at once`, () => {
      assert.throws(() => createShardedAdapter(URL, URL, opts), {
        name: 'TypeError',
        code: 'ERR_INVALID_OPTION',
        option,
      });
    });
  }

  it('are taken with one endpoint, with two, and with none', () => {
    const opts = { channelPrefix: 'chat', subscriptionMode: /** @type {const} */ ('static'), requestsTimeout: 1000 };
    for (const args of [[], [URL], [URL, opts], [URL, URL, opts], [null, null, opts]]) {
      assert.equal(typeof createShardedAdapter(.../** @type {[any, any, any]} */ (args)), 'function');
    }
  });

  it('do not stand among those of an endpoint', () => {
    assert.throws(() => createShardedAdapter(/** @type {any} */ ({ channelPrefix: 'chat' })), {
      code: 'ERR_INVALID_OPTION',
      message: /createShardedAdapter\(endpoint, \{ channelPrefix \}\)/,
    });
  });

  it('of this function are none of the other one', () => {
    assert.throws(() => index.createAdapter(URL, URL, /** @type {any} */ ({ channelPrefix: 'chat' })), {
      option: 'channelPrefix',
    });
    assert.throws(() => index.createAdapter(URL, URL, /** @type {any} */ ({ subscriptionMode: 'static' })), {
      option: 'subscriptionMode',
    });
  });
});
