'use strict';

/** Broadcasts cross from one node to the other, whichever store each has. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { TRANSPORTS } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

const ROOM = 'Räume/€ "1": 🚪';
const PAYLOADS = [
  [],
  ['plain', 1, -0.5, 1e21, 1e-7, true, null, [], {}],
  ['€ ü ß', '日本語', '👩‍👩‍👧‍👦', 'e\u0301', '\u2028\u2029', '\ufffd', '\ufeff'],
  ['"', '\\', '\n\r\t', '\u0000\u001f', '5:::{"name":"x"}', '</script>'],
  [{ ключ: { nested: ['', { '': 'empty key' }] } }, JSON.stringify({ json: 'in "json"' })],
  ['long '.repeat(20000)],
];

describePairs('broadcast', (cluster) => {
  for (const transport of TRANSPORTS) {
    it(`everybody gets it once, whatever it says (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const here = await cluster.connect(a, { transport });
      const there = await cluster.connect(b, { transport });
      for (const payload of PAYLOADS) await a.run('sockets', ['emit', 'news', ...payload]);
      await a.run('sockets', ['emit', 'end']);
      const expected = PAYLOADS.map((payload) => [':news', ...payload]);
      assert.deepEqual(await here.until('end'), expected);
      assert.deepEqual(await there.until('end'), expected);
    });

    it(`messages and JSON messages, not only events (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, { transport });
      await a.run('sockets', ['send', 'a message: 5:::']);
      await a.run('sockets', 'json', ['send', { a: ['json', 'message'] }]);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await there.until('end'), [
        [':message', 'a message: 5:::'],
        [':json', { a: ['json', 'message'] }],
      ]);
    });

    it(`socket.broadcast leaves the socket out (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const speaker = await cluster.connect(a, { transport });
      const here = await cluster.connect(a, { transport });
      const there = await cluster.connect(b, { transport });
      await speaker.emit('emit to others', 'hi', 'ä');
      await speaker.ask('echo'); // so the event before it has been handled
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await speaker.until('end'), []);
      assert.deepEqual(await here.until('end'), [[':hi', 'ä']]);
      assert.deepEqual(await there.until('end'), [[':hi', 'ä']]);
    });

    it(`exceptions count on the node that has the connection (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const left = await cluster.connect(b, { transport });
      const right = await cluster.connect(b, { transport });
      await a.run('sockets', ['socket', left.id], 'broadcast', ['emit', 'hi', 'right']);
      await a.run('sockets', ['except', right.id], ['emit', 'hi', 'left']);
      await a.run('sockets', ['except', left.id], ['except', right.id], ['emit', 'hi', 'nobody']);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await left.until('end'), [[':hi', 'left']]);
      assert.deepEqual(await right.until('end'), [[':hi', 'right']]);
    });

    it(`a namespace hears its own (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const member = await cluster.connect(b, { transport });
      const outsider = await cluster.connect(b, { transport });
      await member.enter('/chat');
      await a.run(['of', '/chat'], ['emit', 'news', 'for /chat']);
      await a.run(['of', '/other'], ['emit', 'news', 'for nobody']);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await member.until('end'), [['/chat:news', 'for /chat']]);
      assert.deepEqual(await outsider.until('end'), []);
    });

    it(`a room hears its own, until they leave (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const speaker = await cluster.connect(a, { transport });
      const member = await cluster.connect(b, { transport });
      const outsider = await cluster.connect(b, { transport });
      await member.ask('join', ROOM);
      await a.run('sockets', ['in', ROOM], ['emit', 'news', 1]);
      await speaker.emit('emit to room', ROOM, 'news', 2);
      await speaker.ask('echo');
      await a.run('sockets', ['in', 'another'], ['emit', 'news', 3]);
      await a.run(['of', '/chat'], ['in', ROOM], ['emit', 'news', 4]);
      await a.run('sockets', ['emit', 'middle']);
      assert.deepEqual(await member.until('middle'), [
        [':news', 1],
        [':news', 2],
      ]);
      await member.ask('leave', ROOM);
      await a.run('sockets', ['in', ROOM], ['emit', 'news', 5]);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await member.until('end'), []);
      assert.deepEqual(await outsider.until('end'), [[':middle']]);
    });

    it(`rooms within a namespace, joined from either node (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const own = await cluster.connect(b, { transport });
      const led = await cluster.connect(b, { transport });
      await Promise.all([own.enter('/chat'), led.enter('/chat')]);
      await own.askIn('/chat', 'join', ROOM);
      await a.run(['of', '/chat'], ['socket', led.id], ['join', ROOM]);
      await a.run(['of', '/chat'], ['in', ROOM], ['emit', 'news', 1]);
      await a.run(['of', '/chat'], ['socket', led.id], ['leave', ROOM]);
      await a.run(['of', '/chat'], ['in', ROOM], ['emit', 'news', 2]);
      await a.run('sockets', ['in', ROOM], ['emit', 'news', 3]);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await own.until('end'), [
        ['/chat:news', 1],
        ['/chat:news', 2],
      ]);
      assert.deepEqual(await led.until('end'), [['/chat:news', 1]]);
    });
  }

  it('both nodes know who is in which room', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.connect(b);
    await client.enter('/chat');
    await client.ask('join', 'one');
    await client.askIn('/chat', 'join', 'two');
    await cluster.barrier(b);
    const rooms = ['', '/chat', '/chat/two', '/one'];
    assert.deepEqual((await a.call('state', client.id)).rooms, rooms);
    await a.run('sockets', ['socket', client.id], ['leave', 'one']);
    await cluster.barrier(a);
    assert.deepEqual((await b.call('state', client.id)).rooms, rooms.slice(0, 3));
  });

  it('a volatile broadcast reaches who listens', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    await there.ask('join', ROOM);
    await a.run('sockets', 'volatile', ['emit', 'tick', 1]);
    await a.run('sockets', 'volatile', ['in', ROOM], ['emit', 'tick', 2]);
    await a.run('sockets', ['socket', there.id], 'volatile', ['emit', 'tick', 3]);
    await a.run('sockets', ['emit', 'end']);
    assert.deepEqual(await there.until('end'), [
      [':tick', 1],
      [':tick', 2],
      [':tick', 3],
    ]);
  });
});
