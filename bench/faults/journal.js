'use strict';

const { now } = require('./clock');

/**
 * What a node has sent and received: messages of several streams ('broadcast', 'join', 'store'), each with its
 * sender, its number in the sender's stream, from 0, and the time it was sent.
 */
class Journal {
  /** When each message was sent, by stream. @type {Record<string, number[]>} */
  sent = {};
  /** What came, in its order: numbers, times sent and times of arrival. @type {Record<string, Record<string, Received>>} */
  received = {};
  /** What the node was told of losses. @type {Gap[]} */
  gaps = [];

  /** @param {string} stream @returns {[number, number]} the number and the time of the message to send now */
  next(stream) {
    const times = (this.sent[stream] ??= []);
    const time = now();
    return [times.push(time) - 1, time];
  }

  /** @param {string} stream @param {string} sender @param {number} number @param {number} sent */
  arrived(stream, sender, number, sent) {
    const from = (this.received[stream] ??= {});
    const log = (from[sender] ??= { numbers: [], sent: [], at: [] });
    log.numbers.push(number);
    log.sent.push(sent);
    log.at.push(now());
  }

  /**
   * @param {string} backplane 'adapter' or 'store'; 'channels' of what an adapter for streams does beside these
   * @param {{ connection: string, since: number, duration: number, dropped: number, unconfirmed: number }} gap
   * @param {number[]} offsets of this node's clock, in ms: where it was set, those before and after
   */
  told(backplane, { connection, since, duration, dropped, unconfirmed }, offsets) {
    for (const offset of offsets) {
      const from = since - offset;
      this.gaps.push({ backplane, connection, from, to: from + duration, lost: dropped + unconfirmed, at: now() });
    }
  }
}

/** @typedef {{ numbers: number[], sent: number[], at: number[] }} Received */
/**
 * @typedef {object} Gap
 * @property {string} backplane
 * @property {string} connection
 * @property {number} from on the shared clock, in ms
 * @property {number} to
 * @property {number} lost messages that it counts
 * @property {number} at when it was told
 */

module.exports = { Journal };
