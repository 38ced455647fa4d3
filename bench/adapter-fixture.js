'use strict';

const { isDeepStrictEqual } = require('node:util');

const notepack = require('notepack.io');

const { channelOf, END, EVENT, PATTERN, ROOM } = require('./adapter-messages');
const { Fixture } = require('./fixture');

/** So many messages may be under way: an adapter's queue may have a bound. */
const CHUNK = 50_000;
/** So many emits may: without a bound, what the clients keep of them would cost more than they. */
const EMITS = 5_000;

/** @typedef {{ channel: string, payload: Buffer }} Message */

/** The fixture of a Socket.IO 4 adapter. */
class AdapterFixture extends Fixture {
  static SERVER = 'adapter-server.js';
  /** How the load counts what comes out of Redis, and what is wrong with one of these. */
  static COUNTING = { action: 'count', args: { subscribe: ['PSUBSCRIBE', PATTERN], last: END }, mistakeIn };

  /**
   * Publishes from outside while the implementation measures itself.
   * @param {number} count
   * @param {{ sockets: number, message: Message, among?: Message, last?: Message }} what `sockets`: how many have to be
   *   written to; `among`: what is published once for each thousand messages; `last`: what ends a round
   */
  async receive(count, { sockets, message, among, last = END }) {
    let published = Promise.resolve();
    let left = count;
    const measured = await this.server.ask('receive', { count, chunk: CHUNK }, () => {
      const load = { ...message, count: Math.min(left, CHUNK), last, among };
      left -= load.count;
      published = published.then(() => this.load.ask('publish', load));
    });
    await published;
    return { ...measured, expected: count * sockets + Math.ceil(count / CHUNK) };
  }

  /**
   * The implementation emits, and everything must come out of Redis.
   * @param {number} count
   * @param {{ sockets: number, burst: number, data: Record<string, unknown> }} what `sockets`: how
   *   many of its own have to be written to
   */
  async emit(count, { sockets, burst, data }) {
    let measuring;
    const { action, args, mistakeIn } = /** @type {typeof AdapterFixture} */ (this.constructor).COUNTING;
    const published = await this.load.ask(action, { ...args, count, chunk: EMITS }, () => {
      measuring = this.server.ask('emit', { count, chunk: EMITS, burst, data });
    });
    const { written, ...measured } = await measuring;
    return {
      ...measured,
      received: published.received,
      expected: count,
      mistake:
        (written === count * sockets ? '' : `wrote ${written} instead of ${count * sockets}`) ||
        mistakeIn('first', published.first, { ...data, sequence: 0 }) ||
        mistakeIn('last', published.last, { ...data, sequence: count - 1 }),
    };
  }
}

/** What is wrong with a message, if anything is. */
function mistakeIn(which, [channel, payload] = [], data) {
  if (!payload) return `the ${which} message is missing`;
  const [uid, packet, opts] = notepack.decode(payload);
  const right =
    typeof uid === 'string' &&
    channel.toString() === channelOf(ROOM) &&
    isDeepStrictEqual(packet, { type: 2, data: [EVENT, data], nsp: '/' }) &&
    isDeepStrictEqual([opts.rooms, opts.except], [[ROOM], []]);
  return right ? '' : `the ${which} message is another: ${channel} ${JSON.stringify([uid, packet, opts])}`;
}

module.exports = { AdapterFixture };
