'use strict';

/** Emitters of other languages reach servers with our adapter, as those with the official one. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { SINGLES, adapterTest, describeAdapterClusters } = require('../support/adapter-cluster');
const { BROADCASTS, REQUESTS } = require('./other-languages');

/** What the next broadcast is: the same for all. */
const END = '93a7656d697474657283a47479706502a46461746191a3656e64a36e7370a12f80';
const END_OF_CHAT = '93a7656d697474657283a47479706502a46461746191a3656e64a36e7370a52f6368617480';

describeAdapterClusters(
  'emitters of other languages',
  SINGLES,
  (cluster) => {
    async function start() {
      const [node] = cluster.nodes;
      const [one, two, chat] = [
        await cluster.connect(node),
        await cluster.connect(node),
        await cluster.connect(node, '/chat'),
      ];
      await cluster.join(one, 'r1', 'r2');
      await cluster.join(two, 'r2');
      return { node, one, two, chat };
    }

    const publish = (/** @type {string} */ channel, /** @type {string} */ hex) =>
      cluster.publish(channel, Buffer.from(hex, 'hex'));
    const end = () => Promise.all([publish('socket.io#/#', END), publish('socket.io#/chat#', END_OF_CHAT)]);

    for (const [library, calls] of Object.entries(BROADCASTS)) {
      adapterTest(library, async () => {
        const { one, two, chat } = await start();
        const clients = Object.entries({ one, two, chat });
        for (const [title, { messages, heard }] of Object.entries(calls)) {
          // What is volatile is for those that are ready.
          await Promise.all(clients.map(([, client]) => client.writable()));
          for (const [channel, hex] of messages) await publish(channel, hex);
          await end();
          for (const [name, client] of clients) {
            const expected = (heard[/** @type {keyof typeof heard} */ (name)] ?? []).map((args) => ['news', ...args]);
            assert.deepEqual(await client.until('end'), expected, `${title}: ${name}`);
          }
        }
      });
    }

    for (const [library, { join, leave, disconnect, serverSideEmit }] of Object.entries(REQUESTS)) {
      adapterTest(`${library}, requests`, async () => {
        const { node, one, two } = await start();
        const ask = (/** @type {string} */ request) => cluster.publish('socket.io-request#/#', request);
        const joined = once(one.peer.adapter, 'join-room');
        await ask(join);
        assert.deepEqual(await joined, ['r/3', one.id]);
        const left = once(one.peer.adapter, 'leave-room');
        await ask(leave);
        assert.deepEqual(await left, ['r/3', one.id]);
        const heard = once(node.io, 'news');
        await ask(serverSideEmit);
        assert.deepEqual(await heard, ['ä']);
        await ask(disconnect);
        assert.equal(await one.gone(), 'server namespace disconnect');
        assert.equal(two.peer.connected, true);
      });
    }
  },
  { namespaces: ['/chat'] },
);
