'use strict';

/** Streams on a master that Sentinels replace: all that the new one has comes once, in order. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { startSentinels } = require('../../../../dev/redis-sentinel');
const { LIMIT, PATIENCE } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { RECOVERY, SERVERS, added, gapsOfStreams, streamsNode } = require('./fixture');

/** More than a test sends. */
const MAX_LEN = 1_000_000;

describe('the master of streams is replaced', LIMIT, () => {
  for (const [title, server] of SERVERS) {
    for (const [how, replace] of /** @type {[string, (all: any) => Promise<any>][]} */ ([
      ['by hand', (all) => all.failover()],
      [
        'because it was killed',
        async (all) => {
          const { port } = await all.killMaster();
          return all.promoted(port);
        },
      ],
    ])) {
      it(`${how}${title}`, async (t) => {
        const fixture = await createFixture(t);
        const all = await startSentinels();
        fixture.after(() => all.stop());
        await all.healthy();
        const url = { name: all.name, sentinels: all.sentinels.map(({ host, port }) => ({ host, port })) };
        const settings = { url, server, maxLen: MAX_LEN, commandTimeout: PATIENCE };
        const [a, b] = [await streamsNode(fixture, settings), await streamsNode(fixture, settings)];
        const [here, there] = [await fixture.client(a), await fixture.client(b)];
        let [sent, isOver] = [0, false];
        const sending = (async () => {
          for (; !isOver; await delay(1)) a.io.emit('news', ++sent);
        })();
        await until('news', () => sent > 500);
        const since = b.eventLog().events.length;
        const master = await replace(all);
        await b.eventLog().next('connect', 'sub', undefined, since);
        const before = sent;
        await until('news', () => sent > before + 500);
        isOver = true;
        await sending;
        await until('the queue to be empty', () => a.adapter().stats().queues.publish.messages === 0);
        a.io.emit('end');
        const heardHere = withoutOffsets(await here.until('end')).map(([, number]) => number);
        const heard = withoutOffsets(await there.until('end')).map(([, number]) => number);
        const known = new Set(heard);
        const inStream = (await added(master.server)).slice(0, -1).map(([, number]) => number);
        assert.deepEqual(
          inStream.filter((number) => !known.has(number)),
          [],
          'all that the new master has',
        );
        assert.ok(inStream.at(-1) > before, 'it has got some');
        assert.deepEqual(
          heard,
          [...known].sort((one, other) => one - other),
          'none twice, in order',
        );
        assert.equal(new Set(heardHere).size, heardHere.length, 'none twice here');
        const [kept, knownHere] = [new Set(inStream), new Set(heardHere)];
        // What a server of recoverable clients has added comes by the stream, or not at all where Redis loses it.
        const isLost = (number) => server === RECOVERY && !kept.has(number);
        assert.deepEqual(
          range(1, sent).filter((number) => !knownHere.has(number) && !isLost(number)),
          [],
          'none missing here',
        );
        // Who has read further than the new master has cannot know what else that lacks.
        const isAhead = heard.some((number) => !kept.has(number));
        if (!isAhead) for (const node of [a, b]) assert.deepEqual(gapsOfStreams(node), []);
      });
    }
  }
});
