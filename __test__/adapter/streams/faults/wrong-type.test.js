'use strict';

/** A stream's key that holds something else: that is told with a code, and all works again once it is gone. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { SERVERS, streamsNode } = require('./fixture');

const errorsOf = (node, connection) => node.eventLog().all('error', connection);

describe('a key that is no stream', LIMIT, () => {
  for (const [title, server] of SERVERS) {
    it(`while servers run${title}`, async (t) => {
      const fixture = await createFixture(t);
      const { redis } = fixture;
      const [a, b] = [await streamsNode(fixture, { server }), await streamsNode(fixture, { server })];
      const [here, there] = [await fixture.client(a), await fixture.client(b)];
      const since = b.eventLog().events.length;
      await redis.command('SET', 'socket.io', 'something else');
      await b.eventLog().next('disconnect', 'sub', undefined, since);
      for (const number of range(1, 100)) a.io.emit('news', number);
      a.io.emit('end');
      assert.deepEqual(
        withoutOffsets(await here.until('end')),
        range(1, 100).map((number) => ['news', number]),
        'clients here get all',
      );
      await until('errors', () => errorsOf(a, 'pub').length > 0 || server.connectionStateRecovery);
      await until('several attempts', () => b.eventLog().all('reconnecting', 'sub').length > 5);
      assert.equal(errorsOf(b, 'sub').length, 1, 'what is the same all the time is told once');
      const [{ code, error }] = errorsOf(b, 'sub');
      assert.equal(code, 'ERR_REFUSED');
      assert.match(error.message, /WRONGTYPE/);
      const back = b.eventLog().next('connect', 'sub');
      await redis.command('DEL', 'socket.io');
      await back;
      await until('the other one too', () => a.adapter().stats().connections.sub.state === 'connected');
      for (const number of range(101, 200)) a.io.emit('news', number);
      a.io.emit('end');
      assert.deepEqual(
        withoutOffsets(await there.until('end')),
        range(101, 200).map((number) => ['news', number]),
      );
      assert.deepEqual(
        withoutOffsets(await here.until('end')),
        range(101, 200).map((number) => ['news', number]),
      );
      for (const node of [a, b]) assert.equal(node.adapter().stats().internalErrors, 0);
    });

    it(`when a server starts${title}`, async (t) => {
      const fixture = await createFixture(t);
      await fixture.redis.command('SET', 'socket.io', 'something else');
      const starting = streamsNode(fixture, { server });
      await until('an attempt', async () => {
        const clients = await fixture.redis.command('INFO', 'commandstats');
        return /cmdstat_xrevrange:.*failed_calls=[1-9]/.test(clients);
      });
      await fixture.redis.command('DEL', 'socket.io');
      const node = await starting;
      const client = await fixture.client(node);
      node.io.emit('end');
      assert.deepEqual(await client.until('end'), []);
    });
  }
});
