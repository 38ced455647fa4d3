'use strict';

/**
 * Who takes part in a namespace. Each server subscribes to the channel of requests and to a
 * channel of responses that has its uid in its name, so the second kind tells servers from others
 * who listen to requests: a monitor, say, that never answers. One of this package subscribes to a
 * channel more that has its uid in its name.
 */
class Census {
  #channels;
  #ask;
  /** The uids that were there the last time. @type {Set<string>} */
  #uids = new Set();
  /** Those of them that are of this package. @type {Set<string>} */
  #natives = new Set();
  /** How many servers there were, the last time that Redis answered. */
  #last = 1;

  /**
   * @param {{ request: string, response: string, native: string }} channels
   * @param {(args: string[]) => Promise<any[]>} ask sends `PUBSUB` with arguments
   */
  constructor(channels, ask) {
    this.#channels = channels;
    this.#ask = ask;
  }

  /** How many servers there are, as far as is known: while Redis is away, how many there were. */
  async estimate() {
    return this.take().then(({ servers }) => servers, () => this.#last);
  }

  /**
   * Counts the servers, this one among them.
   * @returns {Promise<{ servers: number, natives: number, uids: Set<string> }>} `natives`: how many
   *   of them are of this package
   */
  async take() {
    const { request, response } = this.#channels;
    const known = [...this.#uids].map((uid) => `${response}${uid}#`);
    const counts = await this.#ask(['NUMSUB', request, ...known]);
    const [subscribers, ...alive] = counts.filter((_, at) => at % 2 === 1).map(Number);
    if (subscribers !== known.length || alive.includes(0)) await this.#learn();
    // Older servers may lack a channel of their own; then everybody counts, as officially.
    const servers = Math.max(1, this.#uids.size === 0 ? subscribers : Math.min(subscribers, this.#uids.size));
    this.#last = servers;
    return { servers, natives: this.#natives.size, uids: this.#uids };
  }

  async #learn() {
    const { response, native } = this.#channels;
    this.#uids = new Set(await this.#namedAfter(response));
    const natives = await this.#namedAfter(native);
    this.#natives = new Set(natives.filter((uid) => this.#uids.has(uid)));
  }

  /** The uids in the names of channels that begin alike. */
  async #namedAfter(start) {
    const channels = await this.#ask(['CHANNELS', `${literally(start)}*#`]);
    const uids = channels.map((channel) => channel.slice(start.length, -1));
    return uids.filter((uid) => uid !== '' && !uid.includes('#'));
  }
}

/** A pattern that matches a text and nothing else. */
function literally(text) {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}

module.exports = { Census };
