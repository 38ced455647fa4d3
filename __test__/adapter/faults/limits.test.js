'use strict';

/** The option `limits`: what one message may hold. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const { createAdapter } = require('../../..');
const { createFixture, range, stub } = require('./fixture');
const { Inbox } = require('../../support/client-inbox');
const { LIMIT } = require('../../support/limits');

const CHANNEL = 'socket.io#/#';

/** @param {any[]} data @param {Record<string, any>} [opts] */
function pack(data, opts) {
  return notepack.encode(['raw', { type: 2, data, nsp: '/' }, { rooms: [], except: [], flags: {}, ...opts }]);
}

const names = (count) => range(1, count).map((number) => `room-${number}`);
const withRooms = (rooms) => (number) => pack(['n', number], { rooms: [...names(rooms - 1), 'here'] });
const withExceptions = (except) => (number) => pack(['n', number], { except: names(except) });
const withAttachments = (count) => (number) => pack(['n', number, ...Array(count).fill(Buffer.alloc(0))]);
/** With a text of more than 65,535 bytes, whose length takes 5 bytes. */
const withLength = (length) => (number) => {
  const text = length - pack(['n', number, '']).length - 4;
  const message = pack(['n', number, 'x'.repeat(text)]);
  assert.equal(message.length, length);
  return message;
};

/** By limit and default: what makes a message that holds as much, and why one that holds more is refused. */
const CASES = {
  'limits.rooms, of rooms': { limits: { rooms: 5 }, usual: 10_000, make: withRooms, kind: 'count' },
  'limits.rooms, of exceptions': { limits: { rooms: 5 }, usual: 10_000, make: withExceptions, kind: 'count' },
  'limits.attachments': { limits: { attachments: 5 }, usual: 1000, make: withAttachments, kind: 'count' },
  'limits.bytes': { limits: { bytes: 100_000 }, usual: 8 * 1024 * 1024, make: withLength, kind: 'length' },
};

describe('limits', LIMIT, () => {
  for (const [title, { limits, usual, make, kind }] of Object.entries(CASES)) {
    for (const [which, opts, most] of [
      ['as given', { limits }, Object.values(limits)[0]],
      ['by default', {}, usual],
    ]) {
      it(`${title}, ${which}: what holds more is malformed, and nothing else`, async (t) => {
        const fixture = await createFixture(t, ['--client-output-buffer-limit', 'pubsub 0 0 0']);
        const node = await fixture.node({ opts });
        // Clients have limits of their own.
        const got = new Inbox();
        t.after(stub(node, 'socket', ['here'], ([text]) => got.push(/\["(\w+)"(?:,(\d))?/.exec(text.slice(0, 50)))));
        for (const number of range(1, 2)) {
          await fixture.publish(CHANNEL, make(most)(number));
          await fixture.publish(CHANNEL, make(most + 1)(number));
        }
        await fixture.publish(CHANNEL, pack(['end']));
        assert.deepEqual(
          (await got.through(([, event]) => event === 'end')).map(([, , number]) => number),
          ['1', '2', undefined],
        );
        const { received, delivered, malformed } = node.adapter().stats();
        assert.deepEqual({ received, delivered, malformed }, { received: 5, delivered: 3, malformed: 2 });
        const [{ error }] = node.eventLog().errors('ERR_MALFORMED_MESSAGE');
        assert.match(error.message, new RegExp(`\\(${kind}\\)`));
      });
    }
  }

  it('limits.bytes, of requests and of broadcasts in a parser of the application', async (t) => {
    const fixture = await createFixture(t);
    const parser = { encode: notepack.encode, decode: notepack.decode };
    const node = await fixture.node({ opts: { limits: { bytes: 1000 }, parser } });
    const long = Buffer.from(JSON.stringify({ type: 1, requestId: 'x'.repeat(1000), uid: 'x' }));
    for (const channel of [CHANNEL, 'socket.io-request#/#', 'socket.io-native#/#'])
      await fixture.publish(channel, long);
    const client = await fixture.client(node);
    await fixture.publish(CHANNEL, pack(['end']));
    await client.until('end');
    assert.equal(node.adapter().stats().malformed, 3);
  });

  it('its own messages are its own, however long', async (t) => {
    const fixture = await createFixture(t);
    const node = await fixture.node({ opts: { limits: { bytes: 1000 } } });
    const client = await fixture.client(node);
    node.io.emit('n', 'x'.repeat(2000));
    await client.event('n');
    await fixture.publish(CHANNEL, pack(['end']));
    await client.until('end');
    const { malformed, filteredOwn } = node.adapter().stats();
    assert.deepEqual({ malformed, filteredOwn }, { malformed: 0, filteredOwn: 1 });
  });

  it('are named when they are wrong', () => {
    const refused = (limits, option, message) =>
      assert.throws(() => createAdapter('redis://localhost', /** @type {any} */ ({ limits })), {
        name: 'TypeError',
        code: 'ERR_INVALID_OPTION',
        option,
        message,
      });
    for (const wrong of [null, 5, 'x', true]) refused(wrong, 'limits', /\{ rooms, attachments, values, bytes \}/);
    refused({ sockets: 1 }, 'limits.sockets', /not known/);
    for (const name of ['rooms', 'attachments', 'values', 'bytes'])
      for (const wrong of [0, -1, 1.5, NaN, Infinity, '5', 5n, {}])
        refused({ [name]: wrong }, `limits.${name}`, /whole number/);
    refused({ rooms: 2 ** 32 }, 'limits.rooms', /4294967295/);
  });
});
