'use strict';

/** A client shakes hands with one node and connects to the other. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { TRANSPORTS, connect, request } = require('../../support/store-client');
const { describePairs } = require('../../support/store-cluster');

const USER = 'Zoë & "Ünal" €🦀';

describePairs('handshake', (cluster) => {
  for (const transport of TRANSPORTS) {
    it(`connects elsewhere, with what authorization has left in its data (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const id = await cluster.handshake(a, { user: USER });
      const { handshaken } = await a.call('state', id);
      assert.equal(handshaken.user, USER);
      assert.equal(typeof handshaken.issued, 'number');
      assert.deepEqual((await b.call('state', id)).handshaken, handshaken);

      const client = await cluster.connect(b, { transport, id });
      const { handshake } = await b.saw('connection', { id });
      delete handshaken.issued; // 0.9 does so at the first connection
      assert.deepEqual(handshake, handshaken);
      assert.deepEqual(await client.ask('echo', 'hi'), ['hi', b.name]);

      await cluster.barrier(b);
      const known = await a.call('state', id);
      assert.deepEqual([known.connected, known.rooms, known.handshaken], [true, [''], handshaken]);
      await a.run('sockets', ['emit', 'news', 1]);
      assert.deepEqual(await client.event('news'), [1]);
    });

    it(`a namespace's authorization adds data for all nodes (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const client = await cluster.connect(b, { transport, id: await cluster.handshake(a, { user: USER }) });
      await client.enter('/chat');
      const { handshake } = await b.saw('connection', { id: client.id, nsp: '/chat' });
      assert.deepEqual([handshake.chat, handshake.user], [b.name, USER]);
      await cluster.barrier(b);
      assert.deepEqual((await a.call('state', client.id)).handshaken, handshake);
    });

    it(`what happens before the connection waits for nobody, what happens after it arrives (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const id = await cluster.handshake(a);
      await a.run('sockets', ['emit', 'news', 'too early']);
      await cluster.barrier(a);
      const client = await cluster.connect(b, { transport, id });
      await a.run('sockets', ['emit', 'news', 'in time']);
      await a.run('sockets', ['emit', 'end']);
      assert.deepEqual(await client.until('end'), [[':news', 'in time']]);
    });

    it(`a client that has gone is forgotten everywhere (${transport})`, async () => {
      const [a, b] = cluster.nodes;
      const id = await cluster.handshake(a);
      const client = await connect(b, { transport, id });
      await client.enter('/chat');
      await client.ask('join', 'room');
      await client.close();
      await b.saw('disconnect', { id });
      await b.saw('disconnect', { id, nsp: '/chat' });
      await cluster.barrier(b);
      for (const node of [a, b]) {
        const { handshaken, connected, open, rooms, transport: held } = await node.call('state', id);
        assert.deepEqual([handshaken, connected, open, rooms, held], [null, false, false, [], false], node.name);
      }
    });
  }

  it('who is not authorized at one node is unknown at the other', async () => {
    const [a, b] = cluster.nodes;
    const refused = await request(a, '?user=mallory');
    assert.deepEqual(refused, { status: 403, body: 'handshake unauthorized' });
    await cluster.barrier(a);
    const unknown = await request(b, 'xhr-polling/nobody');
    assert.deepEqual(unknown, { status: 200, body: '7:::1+0' });
  });
});
