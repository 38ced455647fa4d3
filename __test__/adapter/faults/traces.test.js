'use strict';

/** What node:diagnostics_channel gets of connections. */

const assert = require('node:assert/strict');
const { channel, subscribe, unsubscribe } = require('node:diagnostics_channel');
const { EventEmitter } = require('node:events');
const { describe, it } = require('node:test');
const { Server } = require('socket.io-4');
const { createAdapter } = require('../../..');
const { startRedis } = require('../../../dev/redis-server');
const { EventSink } = require('../../../lib/backplane/event-sink');
const { LIMIT } = require('../../support/limits');

const EVENTS = ['connect', 'disconnect', 'reconnecting', 'gap', 'error', 'close'];
const nameOf = (/** @type {string} */ event) => `socket.io-redis-native:${event}`;

/** What is published, as `[event, message]`, until the test ends. */
function traces(t) {
  /** @type {[string, any][]} */
  const seen = [];
  for (const event of EVENTS) {
    const note = (/** @type {any} */ message) => seen.push([event, message]);
    subscribe(nameOf(event), note);
    t.after(() => unsubscribe(nameOf(event), note));
  }
  return seen;
}

describe('traces', LIMIT, () => {
  it('are the events of an outage, once for two namespaces, as their listeners get them', async (t) => {
    const seen = traces(t);
    const redis = await startRedis();
    t.after(() => redis.stop());
    // It listens: adapters alone keep no process alive.
    const io = new Server(0, { adapter: createAdapter(redis.url) });
    t.after(() => io.close());
    const [adapter, other] = ['/', '/other'].map((name) => /** @type {any} */ (io.of(name).adapter));
    /** @type {[string, any][]} */
    const heard = [];
    for (const event of EVENTS) adapter.on(event, (/** @type {any} */ details) => heard.push([event, details]));
    other.on('error', () => {});
    await Promise.all([adapter.ready(), other.ready()]);
    // Not events.once(): that rejects at an `error`.
    const next = (/** @type {string} */ event) => new Promise((resolve) => adapter.once(event, resolve));
    const [gap, lost] = [next('gap'), next('disconnect')];
    await redis.kill();
    await lost;
    await redis.restart();
    await gap;
    await adapter.ready();
    const events = new Set(seen.map(([event]) => event));
    for (const event of ['connect', 'disconnect', 'reconnecting', 'gap']) assert.ok(events.has(event), event);
    assert.equal(seen.length, heard.length);
    for (const [index, [event, message]] of seen.entries()) {
      assert.equal(event, heard[index][0]);
      assert.equal(message, heard[index][1], event);
    }
    const [, { connection, error }] = seen.find(([event]) => event === 'disconnect') ?? [];
    assert.match(connection, /^(pub|sub)$/);
    assert.equal(error.code, 'ERR_CONNECTION_LOST');
  });

  it('have errors that nobody listens for, and a subscriber is no listener', (t) => {
    const seen = traces(t);
    const warn = t.mock.method(console, 'warn', () => {});
    const sink = new EventSink(new EventEmitter(), () => {});
    sink.emit({ event: 'error', error: { code: 'ERR_STALLED', message: 'It is slow.' }, connection: 'sub' });
    assert.equal(seen.length, 1);
    const [[event, error]] = seen;
    assert.deepEqual([event, error.code, error.connection], ['error', 'ERR_STALLED', 'sub']);
    assert.equal(warn.mock.callCount(), 1);
  });

  it('are not made where nobody subscribes', () => {
    for (const event of EVENTS) {
      const traced = channel(nameOf(event));
      assert.equal(traced.hasSubscribers, false);
      traced.publish = () => assert.fail(event);
    }
    const emitter = new EventEmitter().on('error', () => {});
    const sink = new EventSink(emitter, () => {});
    for (const event of EVENTS) {
      const error = event === 'error' ? { code: 'ERR_STALLED', message: '' } : undefined;
      sink.emit({ event, error, connection: 'sub' });
    }
    for (const event of EVENTS) delete (/** @type {any} */ (channel(nameOf(event))).publish);
  });
});
