'use strict';

/** The least rights of a user on streams, for servers and emitters: with exactly those all works. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { StreamsEmitter, createStreamsAdapter } = require('../../..');
const { createFixture } = require('../../adapter/faults/fixture');
const { LIMIT, PATIENCE } = require('../../support/limits');
const { EventLog } = require('../../support/load');
const { breakOff, comeBack, withoutOffsets } = require('../../support/recovery');

const PUB_SUB = ['+publish', '+subscribe', '+unsubscribe', '+pubsub|numsub'];
const SHARDED = ['+spublish', '+ssubscribe', '+sunsubscribe', '+pubsub|shardnumsub'];
const STREAM = ['~socket.io', '+xadd', '+xread', '+xrange', '+xrevrange', '&socket.io#/#*'];
// Servers tell each other on the last one whose client has come back.
const SESSIONS = ['~sio:session:*', '+set', '+getdel', '+del', '&socket.io-native#/#*'];
const RECOVERS = { connectionStateRecovery: {} };

/** @param {import('node:test').TestContext} t @param {string[]} rules all that the user may do */
async function setUp(t, rules) {
  const fixture = await createFixture(t);
  await fixture.redis.command('ACL', 'SETUSER', 'app', 'on', '>pw', '-@all', 'resetkeys', 'resetchannels', ...rules);
  const url = `redis://app:pw@127.0.0.1:${fixture.redis.port}`;
  const open = async (/** @type {any} */ opts, /** @type {any} */ server) => {
    const factory = createStreamsAdapter(url, { requestsTimeout: PATIENCE, ...opts });
    const node = await fixture.node({ factory, server, connects: false });
    await factory.ready();
    return node;
  };
  const cluster = {
    redis: fixture.redis,
    keep(/** @type {any} */ client) {
      fixture.after(() => client.manager._close());
      return client;
    },
  };
  return { fixture, url, open, cluster };
}

/** Nothing has happened but that connections came up. */
function assertQuiet(/** @type {EventLog} */ eventLog) {
  const told = eventLog.events.filter(({ event }) => event !== 'connect');
  assert.deepEqual(told, []);
}

for (const [name, rights, opts] of /** @type {[string, string[], object][]} */ ([
  ['createStreamsAdapter', PUB_SUB, {}],
  ['createStreamsAdapter, useShardedPubSub', SHARDED, { useShardedPubSub: true }],
])) {
  describe(name, LIMIT, () => {
    it('works with the least rights', async (t) => {
      const { fixture, open } = await setUp(t, [...STREAM, ...rights]);
      const [a, b] = [await open(opts), await open(opts)];
      const there = await fixture.client(b);
      await there.peer.join('room');
      for (const to of [a.io, a.io.to('room'), a.io.to(there.id)]) {
        to.emit('news', 1);
        assert.deepEqual(await there.event('news'), [1]);
      }
      assert.equal(await a.adapter().serverCount(), 2);
      assert.equal((await a.io.fetchSockets()).length, 1);
      [a, b].forEach((node) => assertQuiet(node.eventLog()));
    });

    for (const persistSessions of ['on-disconnect', 'always'])
      it(`recovers clients with those of sessions, written ${persistSessions}`, async (t) => {
        const { fixture, open, cluster } = await setUp(t, [...STREAM, ...rights, ...SESSIONS]);
        const all = { ...opts, persistSessions };
        const [a, b] = [await open(all, RECOVERS), await open(all, RECOVERS)];
        const before = await fixture.client(a);
        a.io.emit('first');
        await before.event('first');
        await breakOff(cluster, before);
        b.io.emit('missed');
        const after = await comeBack(cluster, before, b);
        assert.equal(after.socket.recovered, true);
        b.io.emit('end');
        assert.deepEqual(withoutOffsets(await after.until('end')), [['missed']]);
        [a, b].forEach((node) => assertQuiet(node.eventLog()));
      });
  });

  it(`an emitter beside ${name} needs no right to read`, LIMIT, async (t) => {
    const emits = ['~socket.io', '+xadd', '&socket.io#/#*', ...rights];
    const { fixture } = await setUp(t, emits);
    const factory = createStreamsAdapter(fixture.redis.url, opts);
    const node = await fixture.node({ factory, connects: false });
    const client = await fixture.client(node);
    client.answers('ask', () => 'here');
    await factory.ready();
    const emitter = new StreamsEmitter(`redis://app:pw@127.0.0.1:${fixture.redis.port}`, opts);
    fixture.after(() => emitter.close());
    const eventLog = new EventLog(emitter);
    await emitter.ready();
    emitter.emit('news', 1);
    assert.deepEqual(await client.event('news'), [1]);
    assert.deepEqual(await emitter.timeout(PATIENCE).emitWithAck('ask'), ['here']);
    assert.equal((await emitter.fetchSockets()).length, 1);
    assertQuiet(eventLog);
  });
}

describe('what is missing', LIMIT, () => {
  it('is said, where a stream cannot be read', async (t) => {
    const { fixture, url } = await setUp(t, [...STREAM, ...PUB_SUB, '-xread']);
    const node = await fixture.node({ factory: createStreamsAdapter(url), connects: false });
    const { error } = await node.eventLog().next('error', 'sub', undefined, 0);
    assert.match(error.message, /xread.*NOPERM|NOPERM.*xread/is);
  });
});
