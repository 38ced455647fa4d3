'use strict';

/** A server whose event loop is blocked while entries are added: these wait in the stream, and none is lost. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { encodeCommand } = require('../../../../dev/resp');
const net = require('node:net');
const { once } = require('node:events');
const { blockUntil } = require('../../../support/block');
const { LIMIT } = require('../../../support/limits');
const { withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { SERVERS, gapsOfStreams, streamsNode } = require('./fixture');

const COUNT = 5000;
const FITS = 500;
const READ_COUNT = 50;

/** Adds broadcasts of the event `news` with the numbers 1 to COUNT. */
const FILL = `for number = 1, tonumber(ARGV[1]) do
  redis.call('XADD', KEYS[1], '*', 'uid', 'test', 'nsp', '/', 'type', '3',
    'data', '{"packet":{"type":2,"data":["news",' .. number .. ']},"opts":{"rooms":[],"except":[]}}') end`;

describe('a server that is too slow', LIMIT, () => {
  for (const [title, server] of SERVERS) {
    it(`reads no more than it holds, and goes on${title}`, async (t) => {
      const fixture = await createFixture(t);
      const opts = { server, mailbox: { messages: FITS }, readCount: READ_COUNT };
      const node = await streamsNode(fixture, opts);
      const client = await fixture.client(node);
      const socket = net.connect(fixture.redis.port, '127.0.0.1').resume();
      await once(socket, 'connect');
      fixture.after(() => socket.destroy());
      const { received: before } = node.adapter().stats();
      const received = () => node.adapter().stats().received - before;
      socket.write(encodeCommand('EVAL', FILL, 1, 'socket.io', COUNT));
      blockUntil('the mailbox to be full', () => received() >= FITS);
      // Had it read on, it would have got the rest by then.
      const until = Date.now() + 500;
      blockUntil('more to be read', () => received() === COUNT || Date.now() > until);
      assert.ok(received() <= FITS + READ_COUNT, `${received()} were read`);
      const data = JSON.stringify({ packet: { type: 2, data: ['end'] }, opts: { rooms: [], except: [] } });
      await fixture.redis.command('XADD', 'socket.io', '*', 'uid', 'test', 'nsp', '/', 'type', '3', 'data', data);
      const heard = withoutOffsets(await client.until('end')).map(([, number]) => number);
      assert.deepEqual(heard, range(1, COUNT));
      assert.equal(node.adapter().stats().overflowed, 0);
      assert.deepEqual(gapsOfStreams(node), []);
    });
  }
});
