'use strict';

/** Heartbeats: who is gone, who is only slow, and what was missed while servers were on two sides. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { createFixture } = require('./fixture');
const { freeze } = require('../../../dev/freeze');
const { startRedis } = require('../../../dev/redis-server');
const { createAdapter, RedisStore } = require('../../..');
const { EventLog, until } = require('../../support/load');
const { LIMIT, PATIENCE } = require('../../support/limits');

const CHANNEL = 'socket.io-heartbeat';
/** More own beats than a peer may miss. */
const MANY = 6;
/** Requests that wait until their time is up fail the test before. */
const WAITS = { opts: { requestsTimeout: 2 * PATIENCE } };

/** A server in a process of its own that others know. @param {any[]} nodes the others */
async function child(fixture, ...nodes) {
  const before = nodes.map(peersOf);
  const options = /** @type {any} */ ({ stdio: ['pipe', 'inherit', 'inherit', 'ipc'] });
  const process = fork(path.join(__dirname, 'children', 'deaf.js'), [fixture.redis.url], options);
  fixture.after(() => process.kill('SIGKILL'));
  const [{ uid }] = await once(process, 'message');
  // It may listen before it has said so.
  await until('the others to know it', () => nodes.every((node, at) => peersOf(node) > before[at]));
  const block = async () => {
    process.send('block');
    await once(process, 'message');
  };
  const free = async () => {
    process.stdin.write('x');
    await once(process, 'message');
  };
  return { uid, process, block, free };
}

/** Listens to heartbeats. */
async function listen(fixture) {
  /** @type {any[]} */
  const heard = [];
  const client = fixture.redisClient();
  client.on('message', (_, message) => heard.push(JSON.parse(message)));
  await client.subscribe(CHANNEL);
  const beats = () => heard;
  /** Waits for so many beats of the server with a uid. */
  const next = async (uid, count) => {
    const of = () => beats().filter(({ members }) => members.some(([, one]) => one === uid));
    const before = of().length;
    await until(`${count} beats of ${uid}`, () => of().length >= before + count);
  };
  return { beats, next };
}

/** What a request comes to, or why it fails, before its time is up. @param {Promise<any>} request */
async function outcomeOf(request) {
  /** @type {any[]} */
  const outcome = [];
  request.then(
    (value) => outcome.push(value),
    (error) => outcome.push(error),
  );
  await until('the request to be over', () => outcome.length > 0);
  return outcome[0];
}

/** Two servers that know each other. */
async function pair(fixture, second) {
  const a = await fixture.node(WAITS);
  const b = await fixture.node(second);
  await until('both to know each other', () => peersOf(a) === 1 && peersOf(b) === 1);
  return [a, b];
}

function peersOf(node) {
  return node.adapter().stats().peers;
}

/** Whether the gaps that a log has told of cover a time. */
function covers(log, time) {
  return log.all('gap', 'sub').some(({ since, duration }) => since <= time && time <= since + duration);
}

describe('a peer', { concurrency: true, ...LIMIT }, () => {
  it('that is killed while it is asked is missing, and nobody waits for it', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node(WAITS);
    const [one, other] = [await child(fixture, node), await child(fixture, node)];
    await one.block();
    const told = [];
    node.adapter().on('partial', (details) => told.push(details));
    const asked = outcomeOf(node.io.fetchSockets());
    const partly = node.adapter().fetchSockets({ rooms: new Set(), except: new Set(), partial: true });
    await until('the other one to have answered', () =>
      [...node.adapter().requests.values()].every(({ received }) => received === 1),
    );
    one.process.kill('SIGKILL');
    const { code, expected, received, missing } = await asked;
    const outcome = { expected: 2, received: 1, missing: [one.uid] };
    assert.deepEqual({ code, expected, received, missing }, { code: 'ERR_REQUEST_TIMEOUT', ...outcome });
    assert.deepEqual((await outcomeOf(partly)).partial, outcome);
    assert.deepEqual(told, [{ request: 'fetchSockets', ...outcome }]);
    // Redis has noticed: it is not asked any more.
    assert.deepEqual(await node.io.fetchSockets(), []);
    assert.ok(other.process.connected);
  });

  it('that is stopped is missing after a while, and is there again when it goes on', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node(WAITS);
    const one = await child(fixture, node);
    freeze(one.process.pid);
    const gone = await outcomeOf(node.io.fetchSockets());
    assert.deepEqual(gone.missing, [one.uid]);
    // Redis counts it still.
    const again = await outcomeOf(node.io.fetchSockets());
    assert.deepEqual([again.expected, again.received, again.missing], [1, 0, [one.uid]]);
    one.process.kill('SIGCONT');
    await until('it to be back', () => peersOf(node) === 1);
    assert.deepEqual(await node.io.fetchSockets(), []);
  });

  it('that closes while it is asked is missing at once', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = await pair(fixture);
    // It hears nothing more.
    b.adapter().onPayload = () => {};
    const asked = outcomeOf(a.io.fetchSockets());
    await until('it to be asked', () => a.adapter().requests.size === 1);
    const { uid } = b.adapter();
    await b.close();
    assert.deepEqual((await asked).missing, [uid]);
  });

  it('whose event loop is blocked is not gone', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const one = await child(fixture, node);
    const beats = await listen(fixture);
    await one.block();
    const asked = node.io.fetchSockets();
    await beats.next(node.adapter().uid, MANY);
    assert.equal(node.adapter().requests.size, 1);
    await one.free();
    assert.deepEqual(await asked, []);
  });

  it('is not gone while Redis is stopped', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    const one = await child(fixture, node);
    const beats = await listen(fixture);
    await one.block();
    const asked = node.io.fetchSockets();
    await beats.next(node.adapter().uid, 1);
    fixture.redis.pause();
    await node.eventLog().next('error', 'pub', ({ code }) => code === 'ERR_STALLED');
    fixture.redis.resume();
    await beats.next(node.adapter().uid, MANY);
    assert.equal(node.adapter().requests.size, 1);
    await one.free();
    assert.deepEqual(await asked, []);
    assert.deepEqual(node.eventLog().all('gap'), []);
  });
});

describe('split brain', { concurrency: true, ...LIMIT }, () => {
  /** Two servers, one of which can be led to another Redis. */
  async function setUp(t) {
    const fixture = await createFixture(t);
    const other = await startRedis();
    fixture.after(() => other.stop());
    const proxy = await fixture.proxy();
    const lead = async (log, port) => {
      proxy.retarget(port);
      const since = log.events.length;
      proxy.cut();
      await log.next('connect', 'pub', undefined, since);
      await log.next('connect', 'sub', undefined, since);
    };
    return { fixture, other, proxy, lead };
  }

  for (const long of [true, false]) {
    it(`is a gap on both sides, ${long ? 'after a while' : 'however short it is'}`, async (t) => {
      const { fixture, other, proxy, lead } = await setUp(t);
      const [a, b] = await pair(fixture, { url: proxy.url });
      const [ofA, ofB] = [await fixture.client(a), await fixture.client(b)];
      await lead(b.eventLog(), other.port);
      const sent = Date.now();
      a.io.emit('lost', 'a');
      b.io.emit('lost', 'b');
      await until('both to be published', () => a.adapter().stats().queues.publish.messages === 0);
      await until('both to be published', () => b.adapter().stats().queues.publish.messages === 0);
      if (long) await until('them to miss each other', () => peersOf(a) + peersOf(b) === 0);
      await lead(b.eventLog(), fixture.redis.port);
      await until('a gap of both', () => covers(a.eventLog(), sent) && covers(b.eventLog(), sent));
      a.io.emit('end');
      // What was published on the other side is not there, and told of.
      const received = await Promise.all([ofA.until('end'), ofB.until('end')]);
      assert.deepEqual(received, [[['lost', 'a']], [['lost', 'b']]]);
      assert.equal(a.eventLog().all('gap').length, 1);
    });
  }

  it('between the connections of one server is told once, and is a gap when they are together again', async (t) => {
    const { fixture, other, proxy } = await setUp(t);
    const a = await fixture.node();
    proxy.retarget(other.port);
    const factory = createAdapter(fixture.redis.url, proxy.url);
    const log = (await fixture.node({ factory, connects: false })).eventLog();
    const { error } = await log.next('error', undefined, ({ code }) => code === 'ERR_SPLIT', 0);
    assert.match(error.message, /lead to different servers/);
    proxy.retarget(fixture.redis.port);
    await log.next('gap', 'sub', undefined, 0);
    assert.equal(log.errors('ERR_SPLIT').length, 1);
    await until('others to know it', () => peersOf(a) === 1);
  });

  it('is a gap for stores of 0.9', async (t) => {
    const { fixture, other, proxy, lead } = await setUp(t);
    const stores = [fixture.redis.url, proxy.url].map(
      (url) => new RedisStore({ redisPub: url, redisSub: url, redisClient: url }),
    );
    for (const store of stores) fixture.after(() => store.destroy());
    const [log, moving] = stores.map((store) => new EventLog(store));
    await until('both to know each other', () => stores.every((store) => store.stats().peers === 1));
    await lead(moving, other.port);
    const sent = Date.now();
    await lead(moving, fixture.redis.port);
    await until('a gap of both', () => covers(log, sent) && covers(moving, sent));
  });
});

describe('heartbeats', { concurrency: true, ...LIMIT }, () => {
  it('are done without where Redis refuses them', async (t) => {
    const fixture = await createFixture(t);
    const rules = ['allcommands', 'resetchannels', '&socket.io#/#*', '&socket.io-re*', '&socket.io-native*'];
    await fixture.redis.command('ACL', 'SETUSER', 'app', 'on', '>pw', ...rules);
    const url = fixture.redis.url.replace('://', '://app:pw@');
    const [a, b] = [await fixture.node({ url }), await fixture.node({ url })];
    const node = await fixture.node();
    await fixture.client(b);
    for (const one of [a, b]) await until('it to be refused', () => one.adapter().stats().heartbeat === 'refused');
    assert.equal((await a.io.fetchSockets()).length, 1);
    assert.equal((await node.io.fetchSockets()).length, 1);
    assert.equal(node.adapter().stats().heartbeat, 'on');
    assert.deepEqual(
      [a, b].flatMap((one) => one.eventLog().all('error')),
      [],
    );
  });

  it('can be turned off', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { heartbeat: false } });
    await node.adapter().ready();
    assert.equal(node.adapter().stats().heartbeat, 'off');
    assert.equal(await fixture.subscribers(CHANNEL), 0);
    for (const wrong of [null, 1, 'yes']) {
      for (const make of [createAdapter, (_, opts) => new RedisStore(opts)]) {
        const opts = /** @type {any} */ ({ heartbeat: wrong });
        assert.throws(() => make('redis://localhost', opts), { code: 'ERR_INVALID_OPTION', option: 'heartbeat' });
      }
    }
  });

  it('of a server that is alone are none but its hello', async (t) => {
    const fixture = await createFixture(t);
    const beats = await listen(fixture);
    const node = await fixture.node();
    await until('it to hear itself', () => beats.beats().length > 0);
    const second = await fixture.node({ opts: { key: 'other' } });
    await second.adapter().ready();
    const kinds = beats.beats().map(({ kind }) => kind);
    assert.ok(kinds.includes('hello'));
    assert.equal(node.adapter().stats().published, 0);
  });

  it('that are malformed are counted, and those of a version to come are not', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node();
    await fixture.publish(CHANNEL, '{"v":2,"more":[]}');
    await fixture.publish(CHANNEL, '{"v":1,"id":"x","seq":1,"kind":"hello","members":[["a","b"]]}');
    await until('it to be read', () => peersOf(node) === 1);
    const wrong = ['', '{', '{"v":1}', '{"v":1,"id":[],"seq":1,"kind":"beat"}', '['.repeat(100_000)];
    for (const payload of wrong) await fixture.publish(CHANNEL, payload);
    await until('all to be counted', () => node.adapter().stats().malformed === wrong.length);
    assert.deepEqual(await node.io.fetchSockets(), []);
  });
});
