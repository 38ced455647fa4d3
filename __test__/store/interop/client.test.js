'use strict';

/** The real client of Socket.IO 0.9, on either node. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const io = require('socket.io-client');
const { TRANSPORTS } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

const WORDS = ['Zoë 🦀', { clé: ['"', null, 1e21] }];

/** @param {any} socket @param {string} event @returns {Promise<any[]>} */
const next = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

describePairs('socket.io-client', (cluster) => {
  /**
   * @param {any} node
   * @param {string} transport
   * @param {string} [nsp]
   */
  async function connect(node, transport, nsp = '') {
    io.transports = [transport]; // in Node the client does not heed its option `transports`
    const socket = io.connect(`http://127.0.0.1:${node.port}${nsp}`, {
      'force new connection': true,
      reconnect: false,
    });
    cluster.keep({
      async close() {
        const gone = node.saw('disconnect', { id: socket.socket.sessionid });
        socket.socket.disconnect();
        await gone;
      },
    });
    await next(socket, 'connect');
    assert.equal(socket.socket.transport.name, transport);
    return socket;
  }

  for (const transport of TRANSPORTS) {
    it(`hears, tells others and is answered (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const here = await connect(a, transport);
      const there = await connect(b, transport);
      for (const [speaker, listener] of [
        [here, there],
        [there, here],
      ]) {
        const heard = next(listener, 'news');
        speaker.emit('emit to others', 'news', ...WORDS);
        assert.deepEqual(await heard, WORDS);
      }
      const answer = await new Promise((resolve) => there.emit('echo', ...WORDS, (...args) => resolve(args)));
      assert.deepEqual(answer, [...WORDS, b.name]);
    });

    it(`is in a namespace and in a room (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const there = await connect(b, transport, '/chat');
      await new Promise((resolve) => there.emit('join', 'room', resolve));
      const heard = next(there, 'news');
      await a.run(['of', '/chat'], ['in', 'room'], ['emit', 'news', ...WORDS]);
      assert.deepEqual(await heard, WORDS);
    });
  }
});
