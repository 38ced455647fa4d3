'use strict';

/** Rooms whose names are numbers that JSON does not know, or strings that look like them. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../support/limits');
const { createFixture } = require('../faults/fixture');

const ROOMS = [NaN, Infinity, -Infinity, -0, 1.5, 'NaN', 'Infinity', '1'];
/** A room that is the number NaN is known to the official adapter, but not by the channel that is its alone. */
const officially = (room) => (Number.isNaN(room) ? ['two'] : ['one', 'two', 'three']);

for (const kind of ['official', 'node']) {
  describe(`rooms of two servers (${kind})`, LIMIT, () => {
    for (const room of ROOMS) {
      it(`named ${typeof room} ${Object.is(room, -0) ? '-0' : room}`, async (t) => {
        const fixture = await createFixture(t);
        const [a, b] = [await fixture[kind](), await fixture[kind]()];
        const clients = [await fixture.client(a), await fixture.client(b)];
        const ids = clients.map(({ id }) => id);
        for (const { peer } of clients) await peer.join(room);
        // Behind what all servers were asked.
        const end = async () => {
          a.io.serverSideEmit('done');
          await new Promise((resolve) => {
            b.io.once('done', () => resolve(undefined));
          });
          a.io.to(ids).emit('end');
          const got = await Promise.all(clients.map((client) => client.until('end')));
          return got.map((events) => events.map(([event]) => event));
        };
        a.io.to(/** @type {any} */ (room)).emit('one');
        a.io.to(/** @type {any} */ ([room, 'other'])).emit('two');
        a.io
          .to(/** @type {any} */ (room))
          .except('other')
          .emit('three');
        a.io.except(/** @type {any} */ (room)).emit('four');
        const remote = kind === 'official' ? officially(room) : ['one', 'two', 'three'];
        assert.deepEqual(await end(), [['one', 'two', 'three'], remote]);

        a.io.in(ids).socketsJoin(/** @type {any} */ ([room, 'joined']));
        a.io.in(/** @type {any} */ (room)).socketsJoin('filtered');
        await end();
        const rooms = () => clients.map(({ id, peer }) => [...peer.rooms].filter((each) => each !== id));
        const isJson = typeof room === 'string' || Number.isFinite(room);
        const expected = isJson ? [room === 0 ? 0 : room, 'joined', 'filtered'] : [room, null, 'joined', 'filtered'];
        assert.deepEqual(rooms(), [expected, expected]);
        a.io.in(ids).socketsLeave(/** @type {any} */ (room));
        await end();
        const left = isJson ? ['joined', 'filtered'] : [room, 'joined', 'filtered'];
        assert.deepEqual(rooms(), [left, left]);
      });
    }
  });
}
