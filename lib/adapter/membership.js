'use strict';

const { channelOfServer, patternOfServers, uidsIn } = require('./channels');

/**
 * The servers of a namespace. Each subscribes to the channel of requests, and to a channel of
 * responses that has its uid in its name. The second one distinguishes servers from other subscribers
 * to requests, such as a monitor that never answers. A server of this package subscribes to one more
 * channel that has its uid in its name.
 */
class Membership {
  #channels;
  #pubsub;
  /** The uids that were there the last time. @type {Set<string>} */
  #uids = new Set();
  /** Those of them that are of this package. @type {Set<string>} */
  #natives = new Set();
  /** How many servers there were, the last time that Redis answered. */
  #last = 1;

  /**
   * @param {import('./channels').Channels} channels
   * @param {(args: string[]) => Promise<any[]>} pubsub sends `PUBSUB` with arguments
   */
  constructor(channels, pubsub) {
    this.#channels = channels;
    this.#pubsub = pubsub;
  }

  /** How many servers there are; while Redis is away, how many there were. */
  async estimate() {
    return this.count().then(({ servers }) => servers, () => this.#last);
  }

  /**
   * Counts the servers, this one among them.
   * @returns {Promise<{ servers: number, natives: number, uids: Set<string> }>} `natives`: how many
   *   of them are of this package
   */
  async count() {
    const { requests, responses } = this.#channels;
    const known = [...this.#uids].map((uid) => channelOfServer(responses, uid));
    const counts = await this.#pubsub(['NUMSUB', requests, ...known]);
    const [subscribers, ...alive] = counts.filter((_, at) => at % 2 === 1).map(Number);
    if (subscribers !== known.length || alive.includes(0)) await this.#refresh();
    // Older servers may lack a channel of their own; then every subscriber counts, as officially.
    const servers = Math.max(1, this.#uids.size === 0 ? subscribers : Math.min(subscribers, this.#uids.size));
    this.#last = servers;
    return { servers, natives: this.#natives.size, uids: this.#uids };
  }

  async #refresh() {
    const { responses, nativeRequests } = this.#channels;
    this.#uids = new Set(await this.#uidsOn(responses));
    const natives = await this.#uidsOn(nativeRequests);
    this.#natives = new Set(natives.filter((uid) => this.#uids.has(uid)));
  }

  /** The uids of the servers that have a channel of a kind. */
  async #uidsOn(channel) {
    return uidsIn(channel, await this.#pubsub(['CHANNELS', patternOfServers(channel)]));
  }
}

module.exports = { Membership };
