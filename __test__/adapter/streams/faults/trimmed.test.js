'use strict';

/** Streams that have dropped what a server did not read: a gap says so, and none says what is not so. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { SERVERS, gapsOfStreams, streamsNode } = require('./fixture');

const COUNT = 100;

/** A server that sends, and another one behind a proxy with a client that listens. */
async function pair(t, server, opts = {}) {
  const fixture = await createFixture(t);
  const proxy = await fixture.proxy();
  const a = await streamsNode(fixture, { server, ...opts });
  const b = await streamsNode(fixture, { url: proxy.url, server, ...opts });
  const there = await fixture.client(b);
  /** Has `a` broadcast numbers, which are in the stream then. @param {number} from @param {number} to */
  const send = async (from, to) => {
    for (const number of range(from, to)) a.io.emit('news', number);
    await until('the queue to be empty', () => a.adapter().stats().queues.publish.messages === 0);
  };
  /** What the client gets up to now. */
  const heard = async () => {
    a.io.emit('end');
    return withoutOffsets(await there.until('end')).map(([, number]) => number);
  };
  /** Does something while `b` is away. @param {() => Promise<unknown>} body */
  const away = async (body) => {
    const since = b.eventLog().events.length;
    proxy.refuse();
    await b.eventLog().next('disconnect', 'sub', undefined, since);
    await body();
    proxy.accept();
    await b.eventLog().next('connect', 'sub', undefined, since);
  };
  const last = async () => (await fixture.redis.command('XREVRANGE', 'socket.io', '+', '-', 'COUNT', 1))[0][0];
  return { fixture, a, b, send, heard, away, last, redis: fixture.redis };
}

/** That a gap tells of what was dropped between two entries. */
function assertGap(gap, from, to) {
  const { stream, since, duration } = gap;
  assert.deepEqual({ stream, from: gap.from, to: gap.to }, { stream: 'socket.io', from, to });
  const [start, end] = [from, to].map((id) => Number(id.split('-')[0]));
  assert.deepEqual([since, since + duration], [start, end + 1], 'the time is that of the ids');
}

for (const [title, server] of SERVERS) {
  describe(`what a stream dropped while a server was away${title}`, LIMIT, () => {
    it('is told with the entries around it, where some are left', async (t) => {
      const { b, send, heard, away, last, redis } = await pair(t, server);
      await send(1, 3);
      assert.deepEqual(await heard(), range(1, 3));
      const before = await last();
      await away(async () => {
        await send(4, 10);
        await redis.command('XTRIM', 'socket.io', 'MAXLEN', 1);
      });
      const left = await last();
      assert.deepEqual(await heard(), [10]);
      const gaps = gapsOfStreams(b);
      assert.equal(gaps.length, 1);
      assertGap(gaps[0], before, left);
    });

    it('is told at once where nothing is left', async (t) => {
      const { b, send, heard, away, last, redis } = await pair(t, server);
      await send(1, 3);
      assert.deepEqual(await heard(), range(1, 3));
      const before = await last();
      let dropped = '';
      await away(async () => {
        await send(4, 10);
        dropped = await last();
        await redis.command('XTRIM', 'socket.io', 'MAXLEN', 0);
      });
      await until('a gap', () => gapsOfStreams(b).length > 0);
      assertGap(gapsOfStreams(b)[0], before, dropped);
      await send(11, 13);
      assert.deepEqual(await heard(), range(11, 13));
      assert.equal(gapsOfStreams(b).length, 1);
    });

    it('is told once where more are left than are read at once', async (t) => {
      const { b, send, heard, away, last, redis } = await pair(t, server, { readCount: 5 });
      await send(1, 3);
      assert.deepEqual(await heard(), range(1, 3));
      const before = await last();
      await away(async () => {
        await send(4, 100);
        await redis.command('XTRIM', 'socket.io', 'MAXLEN', 33);
      });
      assert.deepEqual(await heard(), range(68, 100));
      const [[first]] = await redis.command('XRANGE', 'socket.io', '-', '+', 'COUNT', 1);
      const gaps = gapsOfStreams(b);
      assert.equal(gaps.length, 1);
      assertGap(gaps[0], before, first);
    });
  });

  describe(`no gap is told of${title}`, LIMIT, () => {
    it('where more entries wait than are read at once', async (t) => {
      const { b, send, heard, away } = await pair(t, server, { readCount: 7 });
      for (const round of range(1, 3)) {
        await away(() => send(round * 1000, round * 1000 + COUNT));
        assert.deepEqual(await heard(), range(round * 1000, round * 1000 + COUNT));
      }
      assert.deepEqual(gapsOfStreams(b), []);
    });

    it('where what was read was dropped, and nothing else', async (t) => {
      const { b, send, heard, away, redis } = await pair(t, server);
      await send(1, 3);
      assert.deepEqual(await heard(), range(1, 3));
      await away(() => redis.command('XTRIM', 'socket.io', 'MAXLEN', 0));
      await until('a connection', () => b.adapter().stats().connections.sub.state === 'connected');
      await send(4, 6);
      assert.deepEqual(await heard(), range(4, 6));
      assert.deepEqual(gapsOfStreams(b), []);
    });

    it('where the stream goes back to an older state', async (t) => {
      const { b, send, heard, away, last, redis } = await pair(t, server);
      await send(1, 3);
      await heard();
      const newest = await last();
      await away(async () => {
        // As on a master that has not got all, and whose clock is behind.
        await redis.command('DEL', 'socket.io');
        await redis.command('XADD', 'socket.io', '1-1', 'uid', 'test');
      });
      await until('the stream to be read', async () => {
        const clients = await redis.command('CLIENT', 'LIST');
        return [...clients.matchAll(/ cmd=xread/g)].length === 2;
      });
      const data = JSON.stringify({ packet: { type: 2, data: ['news', 4] }, opts: { rooms: [], except: [] } });
      await redis.command('XADD', 'socket.io', '2-1', 'uid', 'test', 'nsp', '/', 'type', '3', 'data', data);
      assert.ok(Number(newest.split('-')[0]) > 2);
      assert.deepEqual(await heard(), [4]);
      assert.deepEqual(gapsOfStreams(b), []);
    });
  });
}
