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
   * Counts the servers, this one among them.
   * @returns {Promise<{ servers: number, natives: number, uids: Set<string> }>} `natives`: how many
   *   of them answer what only this package asks
   */
  async count() {
    const { requests, nativeRequests, responses } = this.#channels;
    const known = [...this.#uids].map((uid) => channelOfServer(responses, uid));
    const counts = await this.#pubsub(['NUMSUB', requests, nativeRequests, ...known]);
    const [subscribers, nativeSubscribers, ...alive] = counts.filter((_, at) => at % 2 === 1).map(Number);
    if (subscribers !== known.length || alive.includes(0)) await this.#refresh();
    // Older servers may lack a channel of their own; then every subscriber counts, as officially.
    const servers = Math.max(1, this.#uids.size === 0 ? subscribers : Math.min(subscribers, this.#uids.size));
    this.#last = servers;
    // Redis may let a server show what it is, and refuse it the channel of the requests.
    return { servers, natives: Math.min(this.#natives.size, nativeSubscribers), uids: this.#uids };
  }

  async #refresh() {
    const { responses, nativeRequests } = this.#channels;
    try {
      this.#uids = new Set(await this.#uidsOn(responses));
      const natives = await this.#uidsOn(nativeRequests);
      this.#natives = new Set(natives.filter((uid) => this.#uids.has(uid)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // The official adapter does without `PUBSUB CHANNELS`.
      this.#uids = new Set();
      this.#natives = new Set();
    }
  }

  /** The uids of the servers that have a channel of a kind. */
  async #uidsOn(channel) {
    return uidsIn(channel, await this.#pubsub(['CHANNELS', patternOfServers(channel)]));
  }
}

/** Redis has answered, and refuses. */
function isRefusal(error) {
  return error?.code === 'ERR_REDIS_REPLY';
}

module.exports = { Membership };
