'use strict';

/** A Redis that is slow, a process that was, and a connection that is dead: with the official adapter as control. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { freeze } = require('../../../dev/freeze');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { createFixture, range } = require('./fixture');

const TOGETHER = { concurrency: true, ...LIMIT };
const CHILD = path.join(__dirname, 'children', 'frozen.js');
/** Between two messages, so that they spread over most of a stall, in ms. */
const PACE = 45;
const KINDS = ['official', 'native'];

/** How Redis stalls, and how much is emitted meanwhile. */
const STALLS = {
  'DEBUG SLEEP 8': { count: 80, begin: (redis) => redis.command('DEBUG', 'SLEEP', '8') },
  'CLIENT PAUSE 8000 ALL': { count: 100, begin: (redis) => redis.command('CLIENT', 'PAUSE', 8000, 'ALL') },
  // Pings are answered, and publishes are not.
  'CLIENT PAUSE 8000 WRITE': { count: 100, begin: (redis) => redis.command('CLIENT', 'PAUSE', 8000, 'WRITE') },
};

/** Starts a server of either kind. */
const start = (fixture, kind) => (kind === 'native' ? fixture.node() : fixture.official());
const numbered = (count) => range(1, count).map((number) => ['news', number]);

describe('a Redis that stalls while its connections are whole', TOGETHER, () => {
  for (const [stall, { count, begin }] of Object.entries(STALLS)) {
    for (const kinds of [
      ['official', 'official'],
      ['official', 'native'],
      ['native', 'native'],
    ]) {
      it(`${stall}, ${kinds.join(' and ')}: nothing is lost, either way`, async (t) => {
        const fixture = await createFixture(t, ['--enable-debug-command', 'yes']);
        const nodes = [await start(fixture, kinds[0]), await start(fixture, kinds[1])];
        const clients = [await fixture.client(nodes[0]), await fixture.client(nodes[1])];
        const native = nodes.filter((_, i) => kinds[i] === 'native');
        for (const node of native) await node.eventLog().next('connect', 'pub', undefined, 0);
        const since = native.map((node) => node.eventLog().events.length);
        const stalling = begin(fixture.redis);
        // Only the other server's client is in the room.
        clients.forEach((client, i) => client.peer.join(`of-${i}`));
        for (const number of range(1, count)) {
          nodes.forEach((node, i) => node.io.to(`of-${1 - i}`).emit('news', number));
          await delay(PACE);
        }
        await stalling;
        nodes.forEach((node, i) => node.io.to(`of-${1 - i}`).emit('end'));
        for (const client of clients) assert.deepEqual(await client.until('end'), numbered(count));
        native.forEach((node, i) => {
          const harm = node
            .eventLog()
            .events.slice(since[i])
            .filter(({ event, code }) => event !== 'error' || code !== 'ERR_STALLED');
          assert.deepEqual(harm, []);
        });
      });
    }
  }

  it('is told once by each connection, and the state says so', async (t) => {
    const fixture = await createFixture(t);
    const [a, b] = [await fixture.node(), await fixture.node()];
    const there = await fixture.client(b);
    await a.eventLog().next('connect', 'pub', undefined, 0);
    fixture.redis.pause();
    for (const number of range(1, 100)) a.io.emit('news', number);
    await until('both to say so', () => a.eventLog().errors('ERR_STALLED').length === 2);
    const states = () => {
      const { pub, sub } = a.adapter().stats().connections;
      return [pub.state, sub.state];
    };
    assert.deepEqual(states(), ['stalled', 'stalled']);
    fixture.redis.resume();
    a.io.emit('end');
    assert.deepEqual(await there.until('end'), numbered(100));
    await until('both to be back', () => states().every((state) => state === 'connected'));
    assert.deepEqual(
      a
        .eventLog()
        .errors('ERR_STALLED')
        .map(({ connection }) => connection)
        .sort(),
      ['pub', 'sub'],
    );
    for (const node of [a, b]) {
      assert.deepEqual(
        ['disconnect', 'gap'].flatMap((event) => node.eventLog().all(event)),
        [],
      );
    }
  });
});

describe('a connection that is half-open', TOGETHER, () => {
  it('of the subscriber is noticed, and the gap reported', async (t) => {
    const fixture = await createFixture(t);
    const proxy = await fixture.proxy();
    const [a, b] = [await fixture.node(), await fixture.node({ url: proxy.url })];
    const there = await fixture.client(b);
    const eventLog = b.eventLog();
    await eventLog.next('connect', 'pub', undefined, 0);
    const since = eventLog.events.length;
    proxy.strand();
    a.io.emit('news', 0);
    const sent = Date.now();
    await eventLog.next('connect', 'sub', undefined, since);
    await eventLog.next('connect', 'pub', undefined, since);
    for (const connection of ['sub', 'pub']) {
      const [{ error }, ...more] = eventLog.all('disconnect', connection);
      assert.deepEqual(more, []);
      assert.match(error.message, /no answer for [\d.]+ s/);
    }
    a.io.emit('news', 1);
    a.io.emit('end');
    assert.deepEqual(await there.until('end'), [['news', 1]]);
    const [gap, ...more] = eventLog.all('gap', 'sub');
    assert.deepEqual(more, []);
    assert.ok(gap.since <= sent && gap.since + gap.duration >= sent, 'it covers what was lost');
  });
});

describe('a process that is stopped for 8 s', { ...TOGETHER, skip: process.platform === 'win32' }, () => {
  for (const kind of KINDS) {
    it(`${kind}: keeps its connections and loses nothing of what waits for it`, async (t) => {
      const fixture = await createFixture(t);
      const node = await fixture.node();
      const here = await fixture.client(node);
      const child = fork(CHILD, [kind, String(fixture.redis.port)]);
      t.after(() => child.kill('SIGKILL'));
      const next = () => once(child, 'message').then(([message]) => message);
      assert.equal(await next(), 'ready');
      const emitted = next();
      child.send({ emit: 100 });
      assert.equal(await emitted, 'emitted');
      freeze(/** @type {number} */ (child.pid));
      for (const number of range(1, 100)) {
        node.io.to('child').emit('news', number);
        await delay(80);
      }
      node.io.to('child').emit('end');
      const report = next();
      child.kill('SIGCONT');
      assert.deepEqual(await report, { received: numbered(100), harm: [] });
      assert.deepEqual(await here.until('end'), numbered(100));
    });
  }
});
