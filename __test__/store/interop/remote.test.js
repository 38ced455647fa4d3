'use strict';

/** Packets for, and from, a client that hangs on another node than the one that deals with them. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { TRANSPORTS, post } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

// No U+2028 or line feed here: 0.9's own parser loses the arguments of an acknowledgement with one.
const WORDS = ['Zoë 🦀 \ufffd', { clé: ['"', '\\', null, 1e21] }];

/** What server code says to one client, and what arrives. */
const WHISPERS = [
  {
    steps: ['sockets', ['socket', 0], ['emit', 'hello', ...WORDS]],
    arrives: { type: 'event', name: 'hello', args: WORDS, endpoint: '' },
  },
  {
    steps: ['sockets', ['socket', 0], 'volatile', ['emit', 'hello']],
    arrives: { type: 'event', name: 'hello', args: [], endpoint: '' },
  },
  { steps: ['sockets', ['socket', 0], ['send', WORDS[0]]], arrives: { type: 'message', data: WORDS[0], endpoint: '' } },
  { steps: ['sockets', ['socket', 0], 'json', ['send', WORDS]], arrives: { type: 'json', data: WORDS, endpoint: '' } },
  {
    steps: [
      ['of', '/chat'],
      ['socket', 0],
      ['emit', 'hello', '\u2028\n'],
    ],
    arrives: { type: 'event', name: 'hello', args: ['\u2028\n'], endpoint: '/chat' },
  },
];

describePairs('remote', (cluster) => {
  for (const transport of TRANSPORTS) {
    it(`an event that comes in elsewhere reaches its handler, whose answer reaches the client (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.listener(b, transport);
      await post(a, client.id, `5:7+::${JSON.stringify({ name: 'echo', args: WORDS })}`);
      await a.published('message-remote', client.id);
      assert.deepEqual((await client.acknowledgement('7')).args, [...WORDS, b.name]);
    });

    it(`an event that only asks for a receipt gets it from the node where it came in (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.listener(b, transport);
      await post(a, client.id, `5:8::${JSON.stringify({ name: 'note', args: WORDS })}`);
      await a.published('dispatch-remote', client.id);
      assert.deepEqual((await client.acknowledgement('8')).args, []);
      assert.deepEqual((await b.saw('note', { id: client.id })).args, WORDS);
    });

    it(`a message and an event without any answer (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.listener(b, transport);
      await post(a, client.id, `3:::${WORDS[0]}`);
      assert.equal((await b.saw('message', { id: client.id })).data, WORDS[0]);
      await post(a, client.id, '5:::{"name":"note"}');
      assert.deepEqual((await b.saw('note', { id: client.id })).args, []);
    });

    it(`a client enters a namespace elsewhere, and is answered there (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.listener(b, transport);
      await post(a, client.id, '1::/chat');
      await client.connected('/chat');
      await b.saw('connection', { id: client.id, nsp: '/chat' });
      await cluster.barrier(b);
      assert.deepEqual((await a.call('state', client.id)).rooms, ['', '/chat']);
      if (transport === 'xhr-polling') await cluster.hang(b, /** @type {any} */ (client));
      await post(a, client.id, `5:9+:/chat:${JSON.stringify({ name: 'echo', args: WORDS })}`);
      assert.deepEqual((await client.acknowledgement('9', '/chat')).args, [...WORDS, b.name]);
    });

    it(`server code reaches one client elsewhere, and only that (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const other = await cluster.connect(b, { transport });
      for (const { steps, arrives } of WHISPERS) {
        const client = await cluster.listener(b, transport);
        await a.run(...steps.map((step) => (step[0] === 'socket' ? ['socket', client.id] : step)));
        await a.published('dispatch-remote', client.id);
        assert.deepEqual(await client.inbox.take(() => true), arrives);
      }
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await other.until('end'), []);
    });

    it(`a client answers at one node what another node has asked (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.listener(b, transport);
      await b.call('ask', client.id, 'question', WORDS[0]);
      const question = await client.inbox.take((packet) => packet.name === 'question');
      assert.deepEqual(question.args, [WORDS[0]]);
      await post(a, client.id, `6:::${question.id}+${JSON.stringify(WORDS)}`);
      await a.published('message-remote', client.id);
      assert.deepEqual((await b.saw('answer', { id: client.id })).answer, WORDS);
    });
  }

  it('a heartbeat that comes in elsewhere counts', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.listener(b, 'websocket');
    client.receive = () => {}; // no answer of its own
    await b.call('heartbeat', client.id);
    assert.equal((await b.call('state', client.id)).heartbeatTimeout, true);
    await post(a, client.id, '2::');
    await a.published('heartbeat-clear', client.id);
    await cluster.barrier(a);
    assert.equal((await b.call('state', client.id)).heartbeatTimeout, false);
  });
});
