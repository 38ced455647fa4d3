'use strict';

const { isDeepStrictEqual } = require('node:util');

const notepack = require('notepack.io');

const { AdapterFixture } = require('./adapter-fixture');
const { dataOf, END_ROOM, entryOf, EVENT, ROOM, STREAM } = require('./adapter-messages');
const { until } = require('../dev/redis-server');

/** What ends a round. */
const END = entryOf(END_ROOM, {});

/** The fixture of a Socket.IO 4 adapter on streams. */
class StreamsFixture extends AdapterFixture {
  static COUNTING = { action: 'countEntries', args: { stream: STREAM, last: END }, mistakeIn };

  /** @param {string} name @param {object} [args] what else the server needs to start */
  static async open(name, args) {
    const fixture = await super.open(name, args);
    // The original reads what comes while it waits, until something has come: then it knows where to go on.
    await until('the server reads', async () => (await fixture.redis.command('CLIENT', 'LIST')).includes('cmd=xread'));
    await fixture.load.ask('publish', { ...END, count: 1 });
    await until('the server hears', () => fixture.server.ask('heard'));
    return fixture;
  }

  /** @param {number} count @param {{ sockets: number, message: any }} what see `AdapterFixture` */
  receive(count, what) {
    return super.receive(count, { ...what, last: END });
  }

  /** The load adds `count` entries, `rate` a second; how long each takes to the socket here. */
  async delays(count, { rate, message }) {
    let adding;
    const measured = await this.server.ask('delays', { count }, () => {
      adding = this.load.ask('stamped', { ...message, count, rate });
    });
    await adding;
    return { ...measured, expected: count };
  }
}

/** The same, whose clients come back after they have missed something. */
class RecoveryFixture extends StreamsFixture {
  /** @param {string} name @param {number} missed how many packets they have missed, among as many that are not theirs */
  static async open(name, missed) {
    const options = { connectionStateRecovery: {} };
    const fixture = /** @type {RecoveryFixture} */ (await super.open(name, { sockets: 0, options }));
    const [[offset]] = await fixture.redis.command('XREVRANGE', STREAM, '+', '-', 'COUNT', 1);
    const data = dataOf(190);
    await fixture.load.ask('publish', { ...entryOf(ROOM, data), count: missed / 2 });
    await fixture.load.ask('publish', { ...entryOf('elsewhere', data), count: missed });
    await fixture.load.ask('publish', { ...entryOf(ROOM, data), count: missed / 2 });
    return Object.assign(fixture, { offset, missed });
  }

  /** Has `count` clients come back, one after the other. */
  async recover(count) {
    const { offset, missed } = /** @type {any} */ (this);
    return { ...(await this.server.ask('recover', { count, offset })), expected: count * missed };
  }
}

/** What is wrong with an entry, if anything is. */
function mistakeIn(which, entry, data) {
  if (!entry) return `the ${which} entry is missing`;
  const isJson = entry.data.startsWith('{');
  const { packet, opts } = isJson ? JSON.parse(entry.data) : notepack.decode(Buffer.from(entry.data, 'base64'));
  const right =
    isDeepStrictEqual([entry.nsp, entry.type], ['/', '3']) &&
    isDeepStrictEqual([packet.type, packet.data], [2, [EVENT, data]]) &&
    isDeepStrictEqual([opts.rooms, opts.except], [[ROOM], []]);
  return right ? '' : `the ${which} entry is another: ${JSON.stringify(entry)}`;
}

module.exports = { RecoveryFixture, StreamsFixture };
