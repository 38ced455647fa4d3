'use strict';

/** Sockets whose handshakes or data cannot be JSON: other servers get them without what cannot. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture } = require('./fixture');

const { LIMIT } = require('../../support/limits');

function cycle() {
  /** @type {any} */
  const object = { name: 'cycle' };
  object.self = object;
  return object;
}

function deep() {
  /** @type {any} */
  let object = {};
  for (let i = 0; i < 30_000; i++) object = { object };
  return object;
}

const throwing = () => {
  throw new Error('no text');
};

/** What cannot be JSON, by what it is. @type {Record<string, () => unknown>} */
const UNENCODABLE = {
  'a cycle': cycle,
  'a BigInt': () => 10n,
  'a toJSON that throws': () => ({ toJSON: throwing }),
  'a toJSON that throws what is no error': () => ({
    toJSON() {
      throw Object.create(null);
    },
  }),
  'a getter that throws': () => Object.defineProperty({}, 'secret', { enumerable: true, get: throwing }),
  'a nest too deep': deep,
};

/** A server with a socket, one that asks, and one with a custom parser that asks. */
async function setUp(t, opts) {
  const fixture = await createFixture(t);
  const a = await fixture.node({ opts });
  const b = await fixture.node({ opts });
  const [bad, good] = [await fixture.client(b), await fixture.client(b)];
  return { fixture, a, b, bad, good };
}

const byId = (sockets, { id }) => sockets.find((socket) => socket.id === id);

for (const [title, opts] of Object.entries({ JSON: {}, 'a custom parser': { parser: require('notepack.io') } })) {
  describe(`what cannot be JSON (${title})`, LIMIT, () => {
    for (const [name, make] of Object.entries(UNENCODABLE)) {
      it(`${name} in session, user, query and data is left out, and reported once`, async (t) => {
        const { a, b, bad, good } = await setUp(t, opts);
        Object.assign(bad.peer.handshake, { session: make(), user: make(), role: { name: 'admin' } });
        bad.peer.handshake.query.odd = make();
        bad.peer.data = { odd: make(), name: 'Uschi' };
        good.peer.data = { name: 'Gerd' };
        for (let i = 0; i < 2; i++) {
          const sockets = await a.io.fetchSockets();
          const { handshake, data, rooms } = byId(sockets, bad);
          assert.deepEqual([data, [...rooms]], [{ name: 'Uschi' }, [bad.id]]);
          const { session, user, query, role, address } = handshake;
          assert.deepEqual([session, user, query, role], [undefined, undefined, undefined, { name: 'admin' }]);
          assert.equal(address, bad.peer.handshake.address);
          assert.deepEqual(byId(sockets, good).data, { name: 'Gerd' });
          assert.equal(byId(sockets, good).handshake.url, good.peer.handshake.url);
        }
        const errors = b.eventLog().errors('ERR_ENCODE');
        assert.deepEqual(
          errors.map(({ error }) => error.field),
          ['handshake.query', 'handshake.session', 'handshake.user', 'data.odd'],
        );
        for (const { error } of errors) assert.ok(error.message.includes(error.field), error.message);
      });
    }

    it('data that is no object, and a handshake whose own getter throws', async (t) => {
      const { a, b, bad, good } = await setUp(t, opts);
      bad.peer.data = 10n;
      Object.defineProperty(bad.peer.handshake, 'session', { enumerable: true, get: throwing });
      good.peer.data = [1, cycle()];
      const sockets = await a.io.fetchSockets();
      assert.deepEqual([byId(sockets, bad).data, byId(sockets, good).data], [{}, {}]);
      assert.equal(byId(sockets, bad).handshake.url, bad.peer.handshake.url);
      assert.equal(byId(sockets, bad).handshake.session, undefined);
      assert.deepEqual(
        b
          .eventLog()
          .errors('ERR_ENCODE')
          .map(({ error }) => error.field)
          .sort(),
        ['data', 'handshake.session'],
      );
    });

    it('here they are what they are', async (t) => {
      const { b, bad } = await setUp(t, opts);
      const session = cycle();
      bad.peer.handshake.session = session;
      bad.peer.data = 10n;
      const here = byId(await b.io.fetchSockets(), bad);
      assert.equal(here.handshake.session, session);
      assert.equal(here.data, 10n);
      assert.deepEqual(b.eventLog().all('error'), []);
    });
  });
}
