'use strict';

/** countSockets and fetchSocketIds: how many, and who, without all that a socket is. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture } = require('./fixture');
const { LIMIT } = require('../../support/limits');

const OPTS = { requestsTimeout: 100_000 };
const requests = (nsp) => `socket.io-request#${nsp}#`;
const natives = (nsp) => `socket.io-native#${nsp}#`;
const parse = ({ message }) => JSON.parse(message.toString());
const sorted = (ids) => [...ids].sort();

/**
 * A server of ours that asks and another server, with clients in rooms.
 * @param {import('node:test').TestContext} t
 * @param {'node' | 'official'} kind the other's
 */
async function setUp(t, kind) {
  const fixture = await createFixture(t);
  const namespaces = ['/chat'];
  const a = await fixture.node({ namespaces, opts: OPTS });
  const b = await fixture[kind]({ namespaces });
  const here = await fixture.client(a);
  const [left, right] = [await fixture.client(b), await fixture.client(b)];
  const chatting = await fixture.client(b, '/chat');
  here.peer.join(['room', 'a', 1]);
  left.peer.join(['room', 'left', 1]);
  right.peer.join(['other', '1']);
  chatting.peer.join('room');
  return { fixture, a, b, here, left, right, chatting };
}

/** Whom each choice is to find. */
function choices({ here, left, right }) {
  return [
    [undefined, [here, left, right]],
    [{}, [here, left, right]],
    [{ rooms: ['room'] }, [here, left]],
    [{ rooms: new Set(['room', 'other']) }, [here, left, right]],
    [{ rooms: ['room', 'left'] }, [here, left]],
    [{ except: ['room'] }, [right]],
    [{ except: new Set(['left', 'a']) }, [right]],
    [{ rooms: ['room'], except: new Set(['left']) }, [here]],
    [{ rooms: new Set(['left', 'other']), except: ['a'] }, [left, right]],
    [{ rooms: ['nobody'] }, []],
    [{ rooms: [right.id] }, [right]],
    [{ except: [left.id, here.id] }, [right]],
    [{ rooms: [1] }, [here, left]],
    [{ rooms: ['1'] }, [right]],
    [{ flags: { local: true } }, [here]],
    [{ rooms: ['room'], except: ['a'], flags: { local: true } }, []],
  ];
}

async function assertChoices(fixture) {
  const adapter = fixture.a.adapter();
  for (const [opts, clients] of choices(fixture)) {
    const copy = structuredClone(opts);
    assert.deepEqual(
      sorted(await adapter.fetchSocketIds(opts)),
      sorted(clients.map(({ id }) => id)),
      JSON.stringify(copy),
    );
    assert.equal(await adapter.countSockets(opts), clients.length);
    assert.deepEqual(opts, copy, 'what was passed is left alone');
  }
}

describe('countSockets and fetchSocketIds', LIMIT, () => {
  it('among servers of ours: no socket is shipped', async (t) => {
    const set = await setUp(t, 'node');
    const spy = await set.fixture.spy([requests('/'), requests('/chat')]);
    const watch = await set.fixture.spy([], [natives('*')]);
    await assertChoices(set);
    assert.equal(await set.a.adapter('/chat').countSockets(), 1);
    assert.deepEqual([...(await set.a.adapter('/chat').fetchSocketIds({ rooms: ['room'] }))], [set.chatting.id]);
    assert.equal(await set.a.adapter('/chat').countSockets({ except: ['room'] }), 0);
    await set.fixture.publish(requests('/'), '{"type":"end"}');
    assert.deepEqual((await spy.through((item) => parse(item).type === 'end')).length, 1, 'nothing was asked there');
    await set.fixture.publish(natives('/'), '{"type":"end"}');
    const asked = (await watch.through((item) => parse(item).type === 'end'))
      .slice(0, -1)
      .map((item) => parse(item).type);
    const remote = choices(set).filter(([opts]) => !opts?.flags).length;
    assert.deepEqual(asked, [...Array(remote).fill(['ids', 'count']).flat(), 'count', 'ids', 'count']);
  });

  it('with an official server: by the ids that it tells', async (t) => {
    const set = await setUp(t, 'official');
    // Not even who listens where our servers are asked is taken for one of them.
    const spy = await set.fixture.spy([requests('/'), natives('/')], [natives('*')]);
    await assertChoices(set);
    await set.fixture.publish(requests('/'), '{"type":"end"}');
    const asked = (await spy.through((item) => parse(item).type === 'end')).slice(0, -1).map(parse);
    assert.deepEqual(new Set(asked.map(({ type }) => type)), new Set([0]), 'SOCKETS and nothing else');
    assert.equal(await set.a.adapter('/chat').countSockets(), 1);
    assert.deepEqual([...(await set.a.adapter('/chat').fetchSocketIds())], [set.chatting.id]);
  });

  it('with both', async (t) => {
    const set = await setUp(t, 'node');
    const official = await set.fixture.official({ namespaces: ['/chat'] });
    const far = await set.fixture.client(official);
    far.peer.join(['room', 'far']);
    const adapter = set.a.adapter();
    assert.equal(await adapter.countSockets(), 4);
    assert.equal(await adapter.countSockets({ rooms: ['room'], except: ['a', 'far'] }), 1);
    assert.deepEqual([...(await adapter.fetchSocketIds({ rooms: ['room'], except: ['a', 'left'] }))], [far.id]);
    const counts = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? set.a : set.b).adapter().countSockets({ rooms: ['room'] })),
    );
    assert.deepEqual(counts, Array(40).fill(3));
    await official.close();
    await adapter.allRooms();
    assert.equal(await adapter.countSockets(), 3);
  });

  it('alone: nobody is asked', async (t) => {
    const fixture = await createFixture(t);
    const a = await fixture.node({ opts: OPTS });
    const here = await fixture.client(a);
    const spy = await fixture.spy([], ['socket.io*']);
    assert.equal(await a.adapter().countSockets(), 1);
    assert.deepEqual([...(await a.adapter().fetchSocketIds())], [here.id]);
    await fixture.publish(natives('/'), '{"type":"end"}');
    assert.equal((await spy.through(() => true)).length, 1);
  });
});
