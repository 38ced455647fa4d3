'use strict';

const { channelOfServer, patternOfServers, siblingChannel, uidsIn } = require('./channels');
const { now } = require('../timers');

/** How long the servers have to answer a roll call, in ms. */
const ROLL_CALL = 2000;
/** How long a subscriber that does not answer is left out without another roll call, in ms. */
const VERDICT = 5000;
/** Between two searches for the channels of servers, in ms: Redis looks at all channels for one. */
const SEARCH = 30_000;
/** How many uids are kept, and how long one may be. */
const MAX_UIDS = 10_000;
const MAX_UID = 64;
/** How many uids Redis is asked about at once. */
const MAX_CHECKS = 10;

/**
 * @typedef {object} Count
 * @property {number} servers
 * @property {boolean} allNative whether all of them answer what only this package asks
 * @property {string[]} named the uids of the others whose heartbeats come
 * @property {string[]} gone the uids of those whose heartbeats do not come any more, and that count still: Redis
 *   has not noticed
 * @property {number} unheard how many of the `named` do not count any more: only Redis has noticed
 */

/**
 * The servers of a namespace. All subscribe to the channels of requests and of responses; Redis says how
 * many do, in one command and without a look at any other channel. Three things make that more than a
 * number of connections:
 *
 * - Servers of this package that share a connection are one subscriber. A connection with several of them is
 *   subscribed to as many channels of siblings.
 * - These also show which subscribers are of this package. All others are servers too, of whatever age, or
 *   monitors, which never answer. When their number changes, a roll call follows: a request that servers of
 *   every age answer at once, with next to nothing.
 * - A subscriber that is silent may be a monitor, or a server that is busy or dead. Servers from
 *   `@socket.io/redis-adapter` 7.1 on have a channel of responses that has their uid in its name, and
 *   monitors have none. Only then Redis is searched for such channels, seldom.
 *
 * Heartbeats tell which servers of this package there are, and which are gone.
 */
class Membership {
  #uid;
  #channels;
  #pubsub;
  #rollCall;
  #peers;
  #outside;
  /** How many servers there were, the last time that Redis answered. */
  #last = 1;
  /** How many servers share a connection, at most, as far as is known. */
  #depth = 1;
  /** How many of the `others` that are not of this package did not answer, and how many of those are monitors. */
  #verdict = { others: 0, silent: 0, monitors: 0, since: 0 };
  /** The roll call under way, and for how many others. @type {{ others: number, monitors: Promise<number> } | null} */
  #underWay = null;
  /** Servers that have a channel of responses, the one that was seen last at the end. @type {Set<string>} */
  #uids = new Set();
  /** The uids that Redis is being asked about. @type {Set<string>} */
  #checks = new Set();
  #searchedAt = -Infinity;
  #searched = Promise.resolve();

  /**
   * @param {object} server
   * @param {string} server.uid
   * @param {import('./channels').Channels} server.channels
   * @param {(args: string[]) => Promise<any[]>} server.pubsub sends `PUBSUB` with arguments
   * @param {(expected: number, timeout: number) => Promise<number>} server.rollCall asks for as many answers and
   *   resolves with how many have come, after `timeout` ms at the latest
   * @param {() => { alive: string[], gone: string[] } | null} server.peers the other servers that heartbeats tell of
   * @param {boolean} [server.isServer] whether Redis counts this one; an emitter is counted here
   */
  constructor({ uid, channels, pubsub, rollCall, peers, isServer = true }) {
    this.#uid = uid;
    this.#channels = channels;
    this.#pubsub = pubsub;
    this.#rollCall = rollCall;
    this.#peers = peers;
    this.#outside = isServer ? 0 : 1;
  }

  /**
   * How many servers there are; while Redis is away, how many there were.
   * @throws {Error} `ERR_REDIS_REPLY` when Redis refuses to say, as officially
   */
  async estimate() {
    return this.count().then(
      ({ servers }) => servers,
      (error) => {
        if (isRefusal(error)) throw error;
        return this.#last;
      },
    );
  }

  /**
   * Counts the servers, this one among them. Where Redis refuses to say, those count that heartbeats tell of.
   * @returns {Promise<Count>}
   */
  async count() {
    const peers = this.#peers();
    try {
      return await this.#countWith(peers);
    } catch (error) {
      if (!isRefusal(error) || peers === null || peers.alive.length === 0) throw error;
      const others = peers.alive.length;
      return { servers: others + 1, allNative: false, named: peers.alive, gone: [], unheard: 0 };
    }
  }

  /** @param {{ alive: string[], gone: string[] } | null} peers @returns {Promise<Count>} */
  async #countWith(peers) {
    const { alive, gone } = peers ?? { alive: [], gone: [] };
    const { subscribers, natives, siblings, connected } = await this.#subscribers(gone);
    const others = Math.max(0, subscribers - natives);
    const monitors = others === 0 ? 0 : await this.#monitorsAmong(others, subscribers + siblings);
    const servers = Math.max(1, subscribers - monitors + siblings);
    this.#last = servers;
    const known = alive.length + connected.length;
    const unheard = Math.max(0, known - (natives + siblings - 1));
    return { servers, allNative: monitors >= others, named: alive, gone: connected, unheard };
  }

  /**
   * How many connections there are, how many of them are of this package, and servers beyond one each. And which
   * of some servers still have their connection.
   * @param {string[]} uids
   */
  async #subscribers(uids) {
    const { requests, responses, nativeRequests } = this.#channels;
    for (;;) {
      const depth = this.#depth;
      const ranks = Array.from({ length: depth + 1 }, (_, i) => siblingChannel(nativeRequests, i + 1));
      const own = uids.map((uid) => channelOfServer(responses, uid));
      const counts = await this.#numsub([...own, requests, responses, nativeRequests, ...ranks]);
      const connected = uids.filter((_, at) => counts[at] > 0);
      const [asked, answered, askedNatively, marked, ...siblings] = counts.slice(uids.length);
      this.#depth = Number(siblings.at(-1)) > 0 ? depth * 2 : Math.max(1, siblings.indexOf(0));
      if (this.#depth > depth) continue;
      return {
        // What listens to one of the two is no server; Redis may refuse one of them to a server of this package.
        subscribers: Math.min(asked, answered) + this.#outside,
        natives: Math.min(askedNatively, marked) + this.#outside,
        siblings: siblings.reduce((sum, count) => sum + count, 0),
        connected,
      };
    }
  }

  /** @param {string[]} channels @returns {Promise<number[]>} the subscribers of each */
  async #numsub(channels) {
    const counts = await this.#pubsub(['NUMSUB', ...channels]);
    return counts.filter((_, at) => at % 2 === 1).map(Number);
  }

  /** How many of the subscribers that are not of this package are monitors. `total`: all that are to answer. */
  async #monitorsAmong(others, total) {
    const verdict = this.#verdict;
    if (verdict.others !== others) return this.#examine(others, total);
    if (verdict.silent > 0 && now() - verdict.since > VERDICT) this.#examine(others, total).catch(() => {});
    return verdict.monitors;
  }

  /** @returns {Promise<number>} */
  #examine(others, total) {
    const underWay = this.#underWay;
    if (underWay !== null && underWay.others === others) return underWay.monitors;
    const monitors = this.#judge(others, total).finally(() => {
      if (this.#underWay?.others === others) this.#underWay = null;
    });
    this.#underWay = { others, monitors };
    return monitors;
  }

  async #judge(others, total) {
    const received = await this.#rollCall(total - 1, ROLL_CALL);
    const silent = Math.min(others, Math.max(0, total - 1 - received));
    const { monitors: known, ...last } = this.#verdict;
    // What was a server, but dead, may have become a monitor.
    const isKnown = last.others === others && last.silent === silent && known === silent;
    const monitors = isKnown ? silent : await this.#withoutChannel(silent, received);
    this.#verdict = { others, silent, monitors, since: now() };
    return monitors;
  }

  /** How many that are silent have no channel of responses of their own. */
  async #withoutChannel(silent, received) {
    if (silent === 0) return 0;
    await this.#search();
    const servers = await this.#alive();
    servers.delete(this.#uid);
    return Math.max(0, silent - Math.max(0, servers.size - received));
  }

  /**
   * Finds the servers that have not answered a request.
   * @param {Set<string>} answered the uids of those that have, as far as they have said
   * @param {number} count how many have not
   * @returns {Promise<string[]>} their uids, as far as is known
   */
  async missing(answered, count) {
    const find = async () => [...(await this.#alive())].filter((uid) => uid !== this.#uid && !answered.has(uid));
    try {
      const found = await find();
      if (found.length >= count) return found;
      await this.#search();
      return await find();
    } catch {
      return [];
    }
  }

  /**
   * Whether a server is known to have a channel of responses of its own; if not, Redis is asked, for the next time.
   * @param {string} uid
   */
  hears(uid) {
    if (this.#uids.has(uid)) return true;
    if (isUid(uid) && this.#checks.size < MAX_CHECKS) this.#check(uid).catch(() => {});
    return false;
  }

  async #check(uid) {
    if (this.#checks.has(uid)) return;
    this.#checks.add(uid);
    try {
      const [count] = await this.#numsub([channelOfServer(this.#channels.responses, uid)]);
      if (Number(count) > 0) this.saw(uid);
    } finally {
      this.#checks.delete(uid);
    }
  }

  /** A server has shown that it has a channel of responses of its own. @param {string} uid */
  saw(uid) {
    if (!isUid(uid)) return;
    this.#uids.delete(uid);
    this.#uids.add(uid);
    if (this.#uids.size > MAX_UIDS) this.#uids.delete(/** @type {string} */ (this.#uids.values().next().value));
  }

  /** Those of the servers seen that are there. Others are forgotten. */
  async #alive() {
    const uids = [...this.#uids];
    if (uids.length === 0) return new Set();
    const counts = await this.#numsub(uids.map((uid) => channelOfServer(this.#channels.responses, uid)));
    uids.forEach((uid, i) => counts[i] === 0 && this.#uids.delete(uid));
    return new Set(uids.filter((_, i) => counts[i] > 0));
  }

  /** Has Redis search all channels for those of servers, unless it has done so lately. */
  async #search() {
    if (now() - this.#searchedAt >= SEARCH) {
      this.#searchedAt = now();
      this.#searched = this.#searchNow();
    }
    await this.#searched;
  }

  async #searchNow() {
    const { responses } = this.#channels;
    try {
      for (const uid of uidsIn(responses, await this.#pubsub(['CHANNELS', patternOfServers(responses)]))) this.saw(uid);
    } catch {
      // The official adapter does without `PUBSUB CHANNELS`.
    }
  }
}

/** Whether something can be the uid of a server. @param {string} value */
function isUid(value) {
  return value !== '' && value.length <= MAX_UID && !value.includes('#');
}

/** Redis has answered, and refuses. */
function isRefusal(error) {
  return error?.code === 'ERR_REDIS_REPLY';
}

module.exports = { Membership };
