'use strict';

/** Timers and sockets have their turn while more messages arrive than can be delivered. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { it } = require('node:test');
const { until } = require('../../support/load');
const { broadcast, createFixture, stub } = require('./fixture');
const { LIMIT } = require('../../support/limits');
const { perTurn, work } = require('./work');

const RATE = 50_000;
const SECONDS = 2;
/** A turn takes 5 ms, and finishes what is under way then. */
const MOST = 7;
/** Few, so that nothing is dropped in the end without a delivery. */
const MAILBOX = { messages: 1000 };

it('50,000 messages each second leave timers their turn, though each takes 1 ms', LIMIT, async (t) => {
  const fixture = await createFixture(t);
  const node = await fixture.node({ opts: { mailbox: MAILBOX } });
  const turns = perTurn();
  let written = 0;
  t.after(
    stub(node, 'stub', ['room'], () => {
      turns.count();
      work();
      written++;
    }),
  );
  const args = [
    path.join(__dirname, 'flood.js'),
    String(fixture.redis.port),
    'socket.io#/#room#',
    String(RATE),
    String(SECONDS),
  ];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  child.stdin.end(broadcast(['news', 'of a common size', { a: 1, b: [1, 2, 3] }], { rooms: ['room'] }));
  const [said] = await once(child.stdout, 'data');
  assert.deepEqual(JSON.parse(said), { sent: RATE * SECONDS, answered: RATE * SECONDS });
  await closed;
  const stats = () => node.adapter().stats();
  await until('the last message', () => stats().received === RATE * SECONDS && stats().queues.mailbox.messages === 0);
  await until('what was not dropped', () => written === RATE * SECONDS - stats().overflowed);
  const counts = turns.stop();
  t.diagnostic(`${written} delivered, ${stats().overflowed} overflowed, in ${counts.length} turns`);
  assert.ok(stats().overflowed > 0, 'more arrived than could be delivered');
  assert.ok(Math.max(...counts) <= MOST, `${Math.max(...counts)} in one turn`);
});
