'use strict';

const { startRedis } = require('../dev/redis-server.js');

/** The Redis of the demo: that of REDIS_URL, else its own, which the page can kill and start. */
class DemoRedis {
  /** @type {Awaited<ReturnType<typeof startRedis>> | undefined} */
  #own;
  #up = true;
  #last = Promise.resolve();

  /** @returns {Promise<string>} its URL */
  async open() {
    const { REDIS_URL } = process.env;
    if (REDIS_URL) {
      console.log('Redis is that of REDIS_URL');
      return REDIS_URL;
    }
    this.#own = await startRedis();
    console.log(`Redis on port ${this.#own.port} (pid ${this.#own.pid})`);
    return this.#own.url;
  }

  /** @returns {{ own: boolean, up: boolean }} `own`: whether the page may kill it; `up`: whether it has not */
  state() {
    return { own: this.#own !== undefined, up: this.#up };
  }

  /**
   * Kills or starts it, one after the other.
   * @param {boolean} up
   */
  turn(up) {
    this.#last = this.#last.then(async () => {
      if (!this.#own || up === this.#up) return;
      await (up ? this.#own.restart() : this.#own.kill());
      this.#up = up;
      console.log(up ? `Redis on port ${this.#own.port} (pid ${this.#own.pid}) again` : 'Redis: kill -9');
    });
    this.#last = this.#last.catch((error) => console.error(error.message));
  }

  /** Ends it where it is the demo's own. */
  async stop() {
    await this.#last;
    await this.#own?.stop();
  }
}

module.exports = { DemoRedis };
