'use strict';

/** Who writes to a socket changes in the middle of a flood: everything arrives once, and in its order. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { createFixture, range } = require('../faults/fixture');
const { LIMIT } = require('../../support/limits');
const { VERSIONS, connect, countMembers, flood, nativeNode, numbersOf } = require('./servers');

const nothing = () => {};

/** What has the packets of a socket seen, and what ends that. @type {Record<string, (peer: any) => () => unknown>} */
const OBSERVERS = {
  onAnyOutgoing(peer) {
    peer.onAnyOutgoing(nothing);
    return () => peer.offAnyOutgoing(nothing);
  },
  prependAnyOutgoing(peer) {
    peer.prependAnyOutgoing(nothing);
    return () => peer.offAnyOutgoing();
  },
  packetCreate({ conn }) {
    conn.on('packetCreate', nothing);
    return () => conn.removeListener('packetCreate', nothing);
  },
  'flush, once'({ conn }) {
    conn.once('flush', nothing);
    return nothing;
  },
  'flush of the server'({ conn }) {
    conn.server.on('flush', nothing);
    return () => conn.server.off('flush', nothing);
  },
};

for (const [name, observe] of Object.entries(OBSERVERS)) {
  it(`${name}: comes and goes`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const counts = countMembers((step) => fixture.after(step));
    const here = await nativeNode(fixture);
    const elsewhere = await fixture.node();
    const observed = await connect(fixture, here);
    const other = await connect(fixture, here);
    let local = 0;
    let stop = nothing;
    const count = await flood(
      elsewhere.io,
      () => local === 600,
      (number) => {
        if (number % 20 === 3) stop = /** @type {any} */ (observe(observed.peer));
        if (number % 20 === 12) stop();
        if (local % 2 === 0) here.io.local.emit('l', local);
        else for (const { peer } of [observed, other]) peer.emit('l', local);
        local++;
      },
    );
    elsewhere.io.emit('end');
    for (const client of [observed, other]) {
      const heard = await client.until('end');
      assert.deepEqual(numbersOf(heard, 'n'), range(0, count - 1));
      assert.deepEqual(numbersOf(heard, 'l'), range(0, 599));
    }
    assert(counts.native > 20, `native ${counts.native} times`);
  });
}

it('an observer sees what is broadcast while it listens, and nothing is held when it ends', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  const client = await connect(fixture, here);
  const { peer } = client;
  /** @type {any[]} */
  const seen = [];
  peer.conn.on('packetCreate', (/** @type {any} */ { data }) => seen.push(data));
  if (peer.onAnyOutgoing) peer.onAnyOutgoing((/** @type {any[]} */ ...args) => seen.push(args));
  elsewhere.io.emit('one', 1);
  await client.event('one');
  assert.deepEqual(seen, [['one', 1], '2["one",1]']);
  peer.offAnyOutgoing();
  peer.conn.removeAllListeners('packetCreate');
  // No message that arrives has the change take place: the connection's alone.
  elsewhere.io.emit('two', 2);
  await client.event('two');
  here.io.emit('three', 3);
  await client.event('three');
  const before = here.adapter().stats().nativeWrites;
  elsewhere.io.emit('four', 4);
  await client.event('four');
  assert.equal(here.adapter().stats().nativeWrites, before + 1);
  assert.equal(seen.length, 2);
});

for (const version of VERSIONS) {
  it(`${version}: a transport is upgraded in the middle`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const here = await nativeNode(fixture, version);
    const elsewhere = await fixture.node();
    for (let round = 0; round < 5; round++) {
      const client = await connect(fixture, here, { transports: ['polling', 'websocket'] });
      const { peer } = client;
      let local = 0;
      let left = 100;
      peer.conn.prependListener('upgrade', () => peer.emit('l', local++));
      peer.conn.on('upgrade', () => here.io.local.emit('l', local++));
      const count = await flood(
        elsewhere.io,
        () => left <= 0,
        () => {
          if (peer.conn.transport.name === 'websocket') left--;
          if (local % 2 === 0) here.io.local.emit('l', local++);
          else peer.emit('l', local++);
        },
      );
      elsewhere.io.emit('end');
      const heard = await client.until('end');
      assert.deepEqual(numbersOf(heard, 'n'), range(0, count - 1));
      assert.deepEqual(numbersOf(heard, 'l'), range(0, local - 1));
      await client.close();
    }
    assert(here.adapter().stats().nativeWrites > 0);
  });
}

it('callbacks of engine.io are called once their packets have left, in their order', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  for (const version of VERSIONS) {
    const here = await nativeNode(fixture, version);
    const client = await connect(fixture, here);
    const { conn } = client.peer;
    const { socket } = conn.transport;
    const { send } = socket;
    let awaited = 0;
    socket.send = (/** @type {any} */ data, /** @type {any} */ options, /** @type {any} */ callback) => {
      if (callback) awaited++;
      return send.call(socket, data, options, callback);
    };
    /** @type {number[]} */
    const called = [];
    await new Promise((resolve) => {
      for (let i = 0; i < 20; i++) {
        conn.send(`2["raw",${i}]`, {}, i % 3 === 0 ? () => called.push(i) : undefined);
        client.peer.emit('between', i);
      }
      conn.send('2["last"]', {}, resolve);
    });
    assert.deepEqual(called, [0, 3, 6, 9, 12, 15, 18], version);
    assert.deepEqual(conn.sentCallbackFn, [], version);
    assert.equal(conn.transport.writable, true, version);
    // Older versions do not say whose they are: they ask while any waits.
    assert(version === 'socket.io-4' ? awaited === 8 : awaited <= 41, `${version}: ${awaited}`);
    const before = awaited;
    for (let i = 0; i < 20; i++) client.peer.emit('later', i);
    assert.equal(awaited, before, version);
  }
});
