'use strict';

/** Sockets of every sort in the same rooms: each gets all broadcasts, once and in their order. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { createFixture, range } = require('../faults/fixture');
const { LIMIT } = require('../../support/limits');
const { VERSIONS, connect, connectBare, flood, nativeNode, numbersOf } = require('./servers');

for (const version of VERSIONS) {
  it(`${version}: native, polling, upgraded, compressed, of another revision`, LIMIT, async (t) => {
    const fixture = await createFixture(t);
    const here = await nativeNode(fixture, version, { perMessageDeflate: { threshold: 0 }, allowEIO3: true });
    const elsewhere = await fixture.node();
    const plain = { perMessageDeflate: false };
    const clients = [
      await connect(fixture, here, plain),
      await connect(fixture, here, plain),
      await connect(fixture, here, { transports: ['polling'] }),
      await connect(fixture, here, { ...plain, transports: ['polling', 'websocket'] }),
      await connect(fixture, here, {}),
    ];
    const old = await connectBare(fixture, here, 3);
    await old.through((packet) => packet === '40');
    for (const socket of here.io.of('/').sockets.values()) socket.join(['room', 'other']);
    let local = 0;
    const isOver = () => local === 400;
    const count = await flood(elsewhere.io.to('room').to('other'), isOver, () => {
      const target = local % 2 === 0 ? here.io : here.io.to('other').to('room');
      (local % 3 === 0 ? target.local : target).emit('l', local++);
    });
    // From either server, since what comes from one overtakes what comes from the other.
    here.io.emit('end');
    elsewhere.io.emit('last');
    for (const client of clients) {
      const heard = await client.untilAll('end', 'last');
      assert.deepEqual(numbersOf(heard, 'n'), range(0, count - 1));
      assert.deepEqual(numbersOf(heard, 'l'), range(0, 399));
      const [, number, part] = heard.find(([event, each]) => event === 'n' && each === 7);
      assert.deepEqual([number, String(part)], [7, 'part 7']);
    }
    const texts = (await old.through((packet) => packet === '42["last"]')).map(String);
    const ofOld = texts.flatMap((text) => /^4(?:2|51-)\["n",(\d+)/.exec(text)?.[1] ?? []).map(Number);
    assert.deepEqual(ofOld, range(0, count - 1));
    const { native, ws, fallbacks } = here.io.engine.ws.stats();
    assert.deepEqual([native, ws, fallbacks], [4, 1, { permessageDeflate: 1 }]);
    const { nativeWrites } = here.adapter().stats();
    // Of the one that upgrades, some may have gone through JavaScript.
    assert(nativeWrites >= 2 * count, `${nativeWrites} writes`);
  });
}

it('who is native pays nothing of JavaScript, from here or from elsewhere', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const here = await nativeNode(fixture);
  const elsewhere = await fixture.node();
  const clients = [await connect(fixture, here), await connect(fixture, here)];
  let walked = 0;
  for (const { peer } of clients) {
    peer.join('room');
    peer.client.writeToEngine = () => walked++;
  }
  elsewhere.io.emit('one', 1);
  for (const client of clients) assert.deepEqual(await client.event('one'), [1]);
  here.io.to('room').emit('two', 2);
  here.io.local.except('nobody').emit('three', Buffer.from('x'));
  here.io.volatile.compress(false).emit('four');
  here.io.emit('end');
  for (const client of clients) {
    const heard = await client.until('end');
    assert.deepEqual(
      heard.filter(([event]) => event !== 'four'),
      [
        ['two', 2],
        ['three', Buffer.from('x')],
      ],
    );
  }
  assert.equal(walked, 0);
  // What the native side cannot tell apart, or would make something else of, JavaScript writes.
  const room = Symbol('room');
  for (const { peer } of clients) peer.join([room, '\ud800']);
  here.io.to(room).emit('symbol');
  here.io.to('\ud800').emit('surrogate');
  here.io.emit('wide', new Uint16Array([1, 2]));
  assert.equal(walked, 6);
});
