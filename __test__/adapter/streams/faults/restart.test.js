'use strict';

/** A Redis that keeps what it has confirmed, and that is killed and started again. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { LIMIT } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { SERVERS, added, gapsOfStreams, streamsNode } = require('./fixture');

const KEEPS = ['--appendonly', 'yes', '--appendfsync', 'always'];
const ROUNDS = 4;

describe('Redis is killed and restarted with what it had', LIMIT, () => {
  for (const [title, server] of SERVERS) {
    it(`while servers broadcast: all that was added comes once, in order${title}`, async (t) => {
      const fixture = await createFixture(t, KEEPS);
      const nodes = [await streamsNode(fixture, { server }), await streamsNode(fixture, { server })];
      const [a, b] = nodes;
      const [here, there] = [await fixture.client(a), await fixture.client(b)];
      let [sent, isOver] = [0, false];
      const sending = (async () => {
        for (; !isOver; await delay(1)) for (let i = 0; i < 5; i++) a.io.emit('news', ++sent);
      })();
      for (const round of range(1, ROUNDS)) {
        await until('news', () => sent > round * 200);
        const since = nodes.map((node) => node.eventLog().events.length);
        await fixture.redis.kill();
        await Promise.all(nodes.map((node, at) => node.eventLog().next('disconnect', 'sub', undefined, since[at])));
        const before = sent;
        await until('news', () => sent > before + 100);
        await fixture.redis.restart();
        await Promise.all(nodes.map((node, at) => node.eventLog().next('connect', 'sub', undefined, since[at])));
      }
      isOver = true;
      await sending;
      await until('the queue to be empty', () => a.adapter().stats().queues.publish.messages === 0);
      a.io.emit('end');
      const heardHere = withoutOffsets(await here.until('end')).map(([, number]) => number);
      assert.deepEqual(
        [...heardHere].sort((one, other) => one - other),
        range(1, sent),
        'here each one once',
      );
      const heardThere = withoutOffsets(await there.until('end'));
      const inStream = (await added(fixture.redis)).slice(0, -1);
      assert.deepEqual(heardThere, inStream, 'there all that was added');
      const numbers = new Set(heardThere.map(([, number]) => number));
      const { unconfirmed, dropped } = a.adapter().stats();
      assert.equal(numbers.size, heardThere.length, 'none twice');
      assert.ok(sent - numbers.size <= unconfirmed + dropped, `${sent - numbers.size} are lost`);
      for (const node of nodes) assert.deepEqual(gapsOfStreams(node), []);
    });
  }
});
