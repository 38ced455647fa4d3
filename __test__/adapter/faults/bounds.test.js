'use strict';

/** Queues hold no more than they may, in memory too, and lose no more than they must. */

const assert = require('node:assert/strict');
const { fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { block, blockUntil } = require('../../support/block');
const { BlockingPublisher } = require('../../support/blocking-publisher');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { broadcast, createFixture, stub } = require('./fixture');

const MEBIBYTE = 1024 * 1024;
const ROOM = 'socket.io#/#room#';

/** @param {import('node:test').TestContext} t */
function start(t, program, url) {
  const child = fork(path.join(__dirname, 'bounds-program.js'), [program, url], { execArgv: ['--expose-gc'] });
  t.after(() => child.kill());
  return child;
}

/** A publisher that blocks this event loop. */
function blockingPublisher(t, fixture) {
  const publisher = new BlockingPublisher(fixture.redis.port);
  t.after(() => publisher.close());
  return publisher;
}

describe('memory', LIMIT, () => {
  it('a mailbox of 16 MiB holds 16 MiB, when small messages are followed by large ones', async (t) => {
    // Redis would cut a subscriber that is behind by more than 32 MB, and what it holds would be missed.
    const fixture = await createFixture(t, ['--client-output-buffer-limit', 'pubsub 0 0 0']);
    const child = start(t, 'mailbox', fixture.redis.url);
    assert.deepEqual(await once(child, 'message'), ['ready', undefined]);
    const publisher = blockingPublisher(t, fixture);
    const [small, large] = [100, 512 * 1024].map((size) => broadcast(['news', 'x'.repeat(size)], { rooms: ['room'] }));
    const [smalls, larges] = [100_000, 400];
    child.send(smalls + larges);
    for (let sent = 0; sent < smalls; sent += 500) publisher.publish(...Array(500).fill([ROOM, small]));
    for (let sent = 0; sent < larges; sent += 4) publisher.publish(...Array(4).fill([ROOM, large]));
    const [{ most, grown, messages }] = await once(child, 'message');
    t.diagnostic(`${most} bytes at most, ${messages} messages, grown by ${grown}`);
    assert.ok(most <= 16 * MEBIBYTE, `${most} bytes`);
    assert.ok(messages >= 20, `${messages} messages`);
    // What arrives is 200 MiB; what is read and decoded on the way takes some memory too.
    assert.ok(grown < 100 * MEBIBYTE, `grown by ${grown}`);
  });

  it('an outbox of 64 MiB holds about 64 MiB of a million tiny emits', async (t) => {
    // Nothing listens there.
    const child = start(t, 'outbox', 'redis://127.0.0.1:1');
    const [{ grown, bytes, messages }] = await once(child, 'message');
    t.diagnostic(`${bytes} bytes, ${messages} messages, grown by ${grown}`);
    assert.ok(bytes <= 64 * MEBIBYTE && bytes > 63 * MEBIBYTE, `${bytes} bytes`);
    assert.ok(grown < 128 * MEBIBYTE, `grown by ${grown}`);
  });
});

describe('a full mailbox', LIMIT, () => {
  it('drops few at a time', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { mailbox: { messages: 200 } } });
    t.after(stub(node, 'stub', ['room'], () => {}));
    await new Promise(setImmediate);
    const publisher = blockingPublisher(t, fixture);
    const { received } = node.adapter().stats();
    publisher.publish(...Array(201).fill([ROOM, broadcast(['news'], { rooms: ['room'] })]));
    blockUntil('all to have arrived', () => node.adapter().stats().received === received + 201);
    const { messages } = node.adapter().stats().queues.mailbox;
    assert.ok(messages > 190 && messages <= 200, `${messages} left`);
  });

  it('tells a gap in which all that it dropped had arrived', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { mailbox: { messages: 200 } } });
    t.after(stub(node, 'stub', ['room'], () => {}));
    await new Promise(setImmediate);
    const publisher = blockingPublisher(t, fixture);
    const { received } = node.adapter().stats();
    const begins = [];
    // Within one turn of the event loop, 2 s long.
    for (let burst = 0; burst < 8; burst++) {
      begins.push(Date.now());
      publisher.publish(...Array(100).fill([ROOM, broadcast(['news'], { rooms: ['room'] })]));
      blockUntil('all to have arrived', () => node.adapter().stats().received === received + 100 * (burst + 1));
      block(250);
    }
    const { overflowed } = node.adapter().stats();
    const gaps = () => node.eventLog().all('gap', 'sub');
    await until('all of it to be told', () => gaps().reduce((sum, { dropped }) => sum + dropped, 0) === overflowed);
    const since = Math.min(...gaps().map((gap) => gap.since));
    const end = Math.max(...gaps().map((gap) => gap.since + gap.duration));
    const last = begins[Math.floor((overflowed - 1) / 100)];
    assert.ok(overflowed >= 600, `${overflowed} dropped`);
    assert.ok(since <= begins[1], `since ${since - begins[0]} ms after the first was published`);
    assert.ok(end >= last, `until ${last - end} ms before the last of them was published`);
  });

  it('disconnect: comes back when it is half empty', async (t) => {
    const FITS = 1000;
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { mailbox: { messages: FITS }, overflow: 'disconnect' } });
    const connects = async () => {
      const stats = String(await fixture.redis.command('INFO', 'commandstats'));
      return Number(/cmdstat_psubscribe:calls=(\d+)/.exec(stats)?.[1]);
    };
    const before = await connects();
    t.after(
      stub(node, 'stub', ['room'], () => {
        // As many sockets as take 0.1 ms: a flood is faster.
        const end = performance.now() + 0.1;
        while (performance.now() < end);
      }),
    );
    const args = [path.join(__dirname, 'flood.js'), String(fixture.redis.port), ROOM, '50000', '4'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end(broadcast(['news'], { rooms: ['room'] }));
    await once(child, 'close');
    await until('the mailbox to be empty', () => node.adapter().stats().queues.mailbox.messages === 0);
    const times = (await connects()) - before;
    const { delivered } = node.adapter().stats();
    t.diagnostic(`${times} times, ${delivered} delivered`);
    assert.ok(times >= 1, 'it was full');
    assert.ok(times <= 1 + delivered / (FITS / 2), `${times} times for ${delivered} messages`);
  });
});
