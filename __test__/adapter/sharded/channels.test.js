'use strict';

/**
 * Which channels broadcasts to rooms take that look like ids: from official servers to ours and back. Clients of
 * Socket.IO 2 have ids in namespaces that are longer than others.
 */

process.env.ADAPTER_WIRE = 'sharded';

const assert = require('node:assert/strict');
const { WebSocket } = require('ws');
const { adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { Inbox } = require('../../support/client-inbox');

const MODES = /** @type {const} */ (['static', 'dynamic', 'dynamic-private']);
/** @type {import('../../support/adapter-node').Kind[][]} */
const PAIRS = MODES.flatMap((mode) => [
  [`official-redis:${mode}`, `native:${mode}`],
  [`native:${mode}`, `official-ioredis:${mode}`],
  [`native:${mode}`, `native:${mode}`],
]);
/** As long as an id: in units of UTF-16, in bytes alone, in characters alone. */
const LIKE_IDS = ['x'.repeat(20), 'ä'.repeat(10), '🚪'.repeat(10), 'ä'.repeat(20), '🚪'.repeat(20)];

/** A client of Socket.IO 2 in a namespace. */
async function connectOld(node, nsp) {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket`);
  const inbox = new Inbox();
  const head = `42${nsp},`;
  socket.on('message', (data) => {
    const text = String(data);
    if (text === '40') socket.send(`40${nsp}`);
    else if (text.startsWith(`40${nsp}`)) inbox.push(['connect']);
    else if (text.startsWith(head)) inbox.push(JSON.parse(text.slice(head.length)));
  });
  const before = new Set(node.io.of(nsp).sockets.keys());
  await inbox.take(([event]) => event === 'connect');
  const id = [...node.io.of(nsp).sockets.keys()].find((each) => !before.has(each));
  const gone = new Promise((resolve) => {
    node.io.of(nsp).sockets.get(id).once('disconnect', resolve);
  });
  return {
    id,
    until: async (name) => (await inbox.through(([event]) => event === name)).slice(0, -1),
    close: async () => {
      socket.close();
      await gone;
    },
  };
}

describeAdapterClusters(
  'rooms that look like ids',
  PAIRS,
  (cluster) => {
    adapterTest('hear what is sent to them, once', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/chat');
      for (const room of LIKE_IDS) await cluster.join(there, room, `/chat#${room}`);
      const expected = [];
      for (const [i, room] of LIKE_IDS.entries()) {
        a.io.of('/chat').to(room).emit('news', i);
        expected.push(['news', i]);
        a.io.of('/chat').to(`/chat#${room}`).emit('news', `long ${i}`);
        expected.push(['news', `long ${i}`]);
      }
      a.io.of('/chat').to(there.id).emit('end');
      assert.deepEqual(await there.until('end'), expected);
    });

    adapterTest('as that of a client of Socket.IO 2 in a namespace', async () => {
      const [a, b] = cluster.nodes;
      const there = cluster.keep(await connectOld(b, '/chat'));
      assert.match(there.id, /^\/chat#.{20}$/);
      await cluster.settled();
      a.io.of('/chat').to(there.id).emit('news', 1);
      a.io.of('/chat').to([there.id, 'nobody']).emit('news', 2);
      a.io.of('/chat').except(there.id).emit('never');
      a.io.of('/chat').emit('end');
      assert.deepEqual(await there.until('end'), [
        ['news', 1],
        ['news', 2],
      ]);
    });
  },
  { namespaces: ['/chat'], serverOptions: { allowEIO3: true } },
);
