'use strict';

/** A client that reads nothing gets no volatile packets, and all others once it reads. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { createFixture } = require('../faults/fixture');
const { until } = require('../../support/load');
const { LIMIT } = require('../../support/limits');
const { VERSIONS, connect, connectBare, nativeNode } = require('./servers');

for (const version of VERSIONS) {
  it(`${version}: volatile packets are left out where others wait`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const here = await nativeNode(fixture, version);
    const elsewhere = await fixture.node();
    const reading = await connect(fixture, here);
    const slow = await connectBare(fixture, here);
    slow.send('40');
    await slow.through((packet) => /^40/.test(packet));
    const peer = [...here.io.of('/').sockets.values()].find((socket) => socket !== reading.peer);
    assert(peer !== undefined);
    slow.webSocket.pause();
    const large = 'x'.repeat(1_000_000);
    for (let i = 0; i < 10; i++) {
      peer.emit('large', large);
      // It leaves by and by: what the kernel takes has left.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until('the connection to be full', () => peer.conn.transport.writable === false);
    here.io.volatile.emit('v', 1);
    peer.volatile.emit('v', 2);
    here.io.to(peer.id).volatile.emit('v', 3);
    assert.deepEqual(await reading.event('v'), [1]);
    await until('the other one to be idle', () => reading.peer.conn.transport.writable);
    elsewhere.io.volatile.emit('v', 4);
    elsewhere.io.emit('kept', 5);
    assert.deepEqual(await reading.until('kept'), [['v', 4]]);
    peer.emit('end');
    slow.webSocket.resume();
    const texts = (await slow.through((packet) => packet === '42["end"]')).map((text) => String(text).slice(0, 12));
    assert.deepEqual(texts, [...Array(10).fill('42["large","'), '42["kept",5]', '42["end"]']);
  });
}
