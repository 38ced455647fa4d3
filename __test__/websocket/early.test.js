'use strict';

/** Messages that arrive before the application listens: engine.io begins to after it has made a session. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { Collected, ENGINES, clientFrame, next, requestHead, start } = require('./fixture');

describe('what comes before anybody listens', LIMIT, () => {
  const { Server } = ENGINES[1];

  /** A connection with messages on it, which nobody has listened to when others arrive. */
  async function early(t, frames) {
    const fixture = await start(t, Server);
    const client = fixture.raw();
    client.socket.write(Buffer.concat([Buffer.from(requestHead()), ...frames]));
    await client.head();
    const [server] = await fixture.accepted.atLeast(1);
    const { client: other, server: second } = await fixture.connect();
    other.send('hello');
    await next(second, 'message');
    return { client, server, fixture };
  }

  it('is heard by the first listener, in order', async (t) => {
    const { client, server } = await early(t, [clientFrame(1, 'a'), clientFrame(2, 'b')]);
    client.socket.write(clientFrame(1, 'c'));
    const got = new Collected();
    server.on('error', () => {});
    await new Promise(setImmediate);
    server.on('message', (/** @type {any} */ data, /** @type {boolean} */ isBinary) =>
      got.push([String(data), isBinary]),
    );
    assert.deepEqual(got.items, []);
    assert.deepEqual(await got.atLeast(3), [
      ['a', false],
      ['b', true],
      ['c', false],
    ]);
  });

  it('is bounded', async (t) => {
    const frames = Array.from({ length: 40_000 }, (_, i) => clientFrame(1, `${i} ${'x'.repeat(100)}`));
    const { server, fixture } = await early(t, frames);
    // Time for all of it, if all of it were read.
    const [, other] = fixture.accepted.items;
    for (let i = 0; i < 200; i++) {
      other.ping();
      await next(other, 'pong');
    }
    assert.ok(fixture.wss.stats().received < frames.length);
    const got = new Collected();
    server.on('message', (/** @type {any} */ data) => got.push(parseInt(data, 10)));
    assert.deepEqual(
      await got.atLeast(40_000),
      frames.map((_, i) => i),
    );
  });

  it('is no reason not to see the client go', async (t) => {
    const { client, fixture } = await early(t, [clientFrame(1, 'a')]);
    client.socket.destroy();
    while (fixture.wss.stats().native > 1) await new Promise(setImmediate);
  });
});
