'use strict';

/** What becomes of what an Emitter publishes and asks while Redis is away, and at its end. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { text } = require('node:stream/consumers');
const { describe, it } = require('node:test');
const { Emitter, StreamsEmitter, createStreamsAdapter } = require('../..');
const { createFixture, range } = require('../adapter/faults/fixture');
const { LIMIT, PATIENCE, SHORT } = require('../support/limits');
const { EventLog } = require('../support/load');

/**
 * A server on Redis and a client of it; an emitter behind a proxy.
 * @param {import('node:test').TestContext} t
 * @param {import('../..').EmitterOptions} [opts]
 */
async function start(t, opts) {
  const fixture = await createFixture(t);
  const node = await fixture.node();
  const client = await fixture.client(node);
  const proxy = await fixture.proxy();
  const emitter = new Emitter(proxy.url, { commandTimeout: PATIENCE, ...opts });
  fixture.after(() => emitter.close());
  const log = new EventLog(/** @type {any} */ (emitter));
  await emitter.ready();
  /** Resolves when the emitter has noticed that Redis is away. */
  const refuse = async () => {
    const gone = Promise.all(['pub', 'sub'].map((name) => log.next('disconnect', name, undefined, 0)));
    proxy.refuse();
    await gone;
  };
  return { fixture, node, client, proxy, emitter, log, refuse };
}

describe('an emitter while Redis is away', { concurrency: true, ...LIMIT }, () => {
  it('keeps what it publishes, which arrives in order when Redis is back', async (t) => {
    const { client, proxy, emitter, log, refuse } = await start(t);
    emitter.emit('news', 0);
    await client.event('news');
    await refuse();
    for (const n of range(1, 200)) (n % 2 === 0 ? emitter : emitter.to(client.id)).emit('news', n, { n });
    emitter.emit('end');
    assert.equal(emitter.stats().queues.publish.messages, 201);
    const back = log.next('connect', 'pub');
    proxy.accept();
    await Promise.all([back, emitter.ready()]);
    assert.deepEqual(
      await client.until('end'),
      range(1, 200).map((n) => ['news', n, { n }]),
    );
    const { published, dropped, unconfirmed } = emitter.stats();
    assert.deepEqual({ published, dropped, unconfirmed }, { published: 202, dropped: 0, unconfirmed: 0 });
  });

  it('keeps entries of streams, which servers read when Redis is back', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ factory: createStreamsAdapter(fixture.redis.url) });
    await node.adapter().ready();
    const client = await fixture.client(node);
    const proxy = await fixture.proxy();
    const emitter = new StreamsEmitter(proxy.url, { commandTimeout: PATIENCE });
    fixture.after(() => emitter.close());
    const log = new EventLog(/** @type {any} */ (emitter));
    await emitter.ready();
    const gone = log.next('disconnect', 'pub', undefined, 0);
    proxy.refuse();
    await gone;
    for (const n of range(1, 100)) emitter.emit('news', n);
    emitter.in(client.id).socketsJoin('room');
    emitter.to('room').emit('end');
    const back = log.next('connect', 'pub');
    proxy.accept();
    await back;
    assert.deepEqual(
      await client.until('end'),
      range(1, 100).map((n) => ['news', n]),
    );
    assert.deepEqual([...client.peer.rooms], [client.id, 'room']);
    await emitter.close();
    assert.equal(emitter.stats().dropped, 0);
  });

  it('drops the oldest of too many, and tells how many', async (t) => {
    const { client, proxy, emitter, log, refuse } = await start(t, { offlineQueue: { messages: 10 } });
    await refuse();
    for (const n of range(1, 30)) emitter.emit('news', n);
    assert.equal(emitter.stats().dropped, 20);
    proxy.accept();
    const gap = await log.next('gap', 'pub', undefined, 0);
    assert.deepEqual([gap.dropped, gap.unconfirmed], [20, 0]);
    assert.equal(log.errors('ERR_QUEUE_FULL').length > 0, true);
    emitter.emit('end');
    assert.deepEqual(
      await client.until('end'),
      range(21, 30).map((n) => ['news', n]),
    );
  });

  it('asks in vain, and again when it is back', async (t) => {
    const { client, proxy, emitter, log, refuse } = await start(t);
    client.answers('ask', () => 'here');
    await refuse();
    await assert.rejects(emitter.timeout(SHORT).emitWithAck('ask'), { code: 'ERR_REQUEST_TIMEOUT', responses: [] });
    const back = log.next('connect', 'sub');
    proxy.accept();
    await back;
    assert.deepEqual(await emitter.timeout(PATIENCE).emitWithAck('ask'), ['here']);
    assert.equal(await emitter.countSockets(), 1);
    emitter.emit('end');
    // What nobody waited for any more has never left.
    assert.deepEqual(
      (await client.until('end')).map(([event]) => event),
      ['ask'],
    );
  });

  it('hears answers again after an outage', async (t) => {
    const { client, proxy, emitter, log, refuse } = await start(t);
    client.answers('ask', () => 'here');
    assert.deepEqual(await emitter.timeout(PATIENCE).emitWithAck('ask'), ['here']);
    await refuse();
    const back = log.next('connect', 'sub');
    proxy.accept();
    await back;
    assert.deepEqual(await emitter.timeout(PATIENCE).emitWithAck('ask'), ['here']);
  });
});

describe('the end of an emitter', { concurrency: true, ...LIMIT }, () => {
  it('comes when all has left', async (t) => {
    const { client, emitter, log } = await start(t);
    for (const n of range(1, 1000)) emitter.emit('news', n);
    emitter.emit('end');
    await emitter.close();
    assert.equal(emitter.stats().published, 1001);
    assert.equal(log.all('close').length, 1);
    assert.equal((await client.until('end')).length, 1000);
    await emitter.close();
    for (const call of [
      () => emitter.emit('news'),
      () => emitter.of('/chat').emit('news'),
      () => emitter.socketsJoin('room'),
      () => emitter.serverSideEmit('news'),
    ]) {
      assert.throws(call, { code: 'ERR_CLOSED' });
    }
    await assert.rejects(emitter.ready(), { code: 'ERR_CLOSED' });
    await assert.rejects(emitter.emitWithAck('ask'), { code: 'ERR_CLOSED' });
  });

  it('waits for commandTimeout while Redis is away, and counts what has not left', async (t) => {
    const { emitter, refuse } = await start(t, { commandTimeout: SHORT });
    await refuse();
    const ready = assert.rejects(emitter.ready(), { code: 'ERR_CLOSED' });
    for (const n of range(1, 7)) emitter.emit('news', n);
    await emitter.close();
    await ready;
    assert.equal(emitter.stats().dropped, 7);
  });

  it('may be that of the process, right behind what was emitted', async (t) => {
    const { fixture, client } = await start(t);
    const program = `
      const { Emitter } = require(${JSON.stringify(require.resolve('../..'))});
      const emitter = new Emitter(${JSON.stringify(fixture.redis.url)});
      emitter.ready().then(() => {
        for (let n = 0; n < 500; n++) emitter.emit('news', n);
        emitter.emit('end');
        process.exit();
      });`;
    const child = spawn(process.execPath, ['-e', program], { stdio: 'inherit' });
    fixture.after(() => child.kill('SIGKILL'));
    assert.equal((await client.until('end')).length, 500);
  });

  it('is no concern of a program that publishes and is done, without Socket.IO beside it', async (t) => {
    const { fixture, client } = await start(t);
    client.answers('ask', () => 'here');
    const program = `
      const Module = require('node:module');
      const { _load: load } = Module;
      Module._load = (name, ...rest) => {
        if (/^(socket\\.io|engine\\.io)/.test(name)) throw new Error(name + ' is not installed');
        return load(name, ...rest);
      };
      const { Emitter } = require(${JSON.stringify(require.resolve('../..'))});
      const emitter = new Emitter(${JSON.stringify(fixture.redis.url)});
      for (let n = 0; n < 500; n++) emitter.emit('news', n, Buffer.from('part'), new Date(0));
      (async () => {
        const answers = await emitter.emitWithAck('ask');
        const [socket] = await emitter.fetchSockets();
        emitter.emit('end', answers[0], socket.id);
      })();`;
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
    fixture.after(() => child.kill('SIGKILL'));
    const [[code], out, errors] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
    assert.deepEqual([code, out, errors], [0, '', '']);
    const heard = await client.until('end');
    assert.deepEqual(heard.length, 501);
    assert.deepEqual(heard[499], ['news', 499, Buffer.from('part'), new Date(0).toISOString()]);
  });
});
