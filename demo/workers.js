'use strict';

const cluster = require('node:cluster');
const { once } = require('node:events');
const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');
const { freeze } = require('../dev/freeze.js');

const WORKERS = 4;
const REPLACE_AFTER = 150; // ms; also the pause in a crash loop
const EXIT_TIMEOUT = 3000;
/** How long a worker that is to be killed hangs before, at most. */
const SPEAK_TIMEOUT = 30_000;

/** For each choice of the page what writes to the WebSockets of a worker, by its index. */
const ENGINES = {
  native: () => 'native',
  javascript: () => 'javascript',
  /** Both at a time, to compare them: half of the workers each. */
  both: (/** @type {number} */ index) => (index <= WORKERS / 2 ? 'native' : 'javascript'),
};

/** The workers behind the one port: each that dies is replaced. */
class Workers {
  #env;
  #on;
  #stopping = false;
  #everListened = false;
  /** @type {keyof typeof ENGINES} */
  #engine = 'native';
  /** The worker that has each index now. @type {Map<number, import('node:cluster').Worker>} */
  #byIndex = new Map();
  /** Those that are restarted, and so are not told of as gone. @type {Set<import('node:cluster').Worker>} */
  #restarting = new Set();
  /** Those that are being killed. @type {Set<import('node:cluster').Worker>} */
  #killed = new Set();

  /**
   * @param {Record<string, string | number>} env what they have in their environment
   * @param {{ message: (message: any, index: number) => void, starting: (index: number) => void,
   *   failed: () => void }} on called with what they say, when one is started, and when none can be
   */
  constructor(env, on) {
    this.#env = env;
    this.#on = on;
    cluster.setupPrimary({ exec: path.join(__dirname, 'worker.js') });
  }

  /** Starts them, and resolves once they listen. */
  async start() {
    for (let index = 1; index <= WORKERS; index++) this.#fork(index, 1);
    await Promise.all([...this.#byIndex.values()].map((worker) => once(worker, 'listening')));
    return WORKERS;
  }

  /** @returns {string} what the page has chosen to write to WebSockets */
  get engine() {
    return this.#engine;
  }

  /** @param {object} message to all of them */
  tell(message) {
    for (const worker of this.#byIndex.values()) if (worker.isConnected()) worker.send(message, () => {});
  }

  /**
   * @param {number} index 1 to 4: a replacement keeps the number, and so the colour
   * @param {number} generation how many workers have had this number
   */
  #fork(index, generation) {
    const engine = ENGINES[this.#engine](index);
    const env = { ...this.#env, DEMO_WORKER: index, DEMO_GENERATION: generation, DEMO_ENGINE: engine };
    const worker = cluster.fork(env);
    this.#byIndex.set(index, worker);
    this.#on.starting(index);
    worker.on('message', (message) => {
      // What a worker has said last may come after it was replaced.
      if (this.#byIndex.get(index) === worker) this.#on.message(message, index);
    });
    worker.on('listening', () => {
      this.#everListened = true;
    });
    worker.once('exit', (code, signal) => this.#replace(worker, { index, generation, engine, why: signal ?? code }));
  }

  async #replace(worker, { index, generation, why }) {
    if (this.#stopping) return;
    if (!this.#everListened) return this.#on.failed();
    const restarts = this.#restarting.delete(worker);
    this.#killed.delete(worker);
    this.#on.starting(index);
    console.log(`worker ${index} ${restarts ? 'restarts' : `is gone (${why}), here is a new one`}`);
    await delay(REPLACE_AFTER);
    if (!this.#stopping) this.#fork(index, generation + 1);
  }

  /**
   * Kills one. Where clients get what they have missed, it hangs before, until another worker has said something: so
   * that there is something to miss.
   * @param {number} index
   * @param {string | null} room where another one has something to say
   */
  async kill(index, room) {
    const worker = this.#byIndex.get(index);
    if (!worker || worker.isDead() || this.#killed.has(worker)) return;
    this.#killed.add(worker);
    if (room !== null && process.platform !== 'win32') {
      freeze(/** @type {number} */ (worker.process.pid)); // what is said before it stands still is not missed
      await this.#speak(room, index);
    }
    console.log(`worker ${index} (pid ${worker.process.pid}): kill -9`);
    worker.process.kill('SIGKILL'); // no farewell: what it held in Redis stays as it is
  }

  async #speak(room, about) {
    const speaker = [...this.#byIndex.values()].find((worker) => worker.isConnected() && !this.#killed.has(worker));
    if (!speaker) return;
    const limit = new AbortController();
    const spoken = new Promise((resolve) => {
      const listen = (message) => message?.type === 'spoken' && message.about === about && resolve(undefined);
      speaker.on('message', listen);
      limit.signal.addEventListener('abort', () => speaker.off('message', listen));
    });
    speaker.send({ type: 'speak', room, about }, () => {});
    await Promise.race([spoken, once(speaker, 'exit'), delay(SPEAK_TIMEOUT)]);
    limit.abort();
  }

  /**
   * Has the workers write to WebSockets by another engine: each that changes is replaced.
   * @param {unknown} engine one of {@link ENGINES}
   */
  useEngine(engine) {
    if (typeof engine !== 'string' || !Object.hasOwn(ENGINES, engine) || engine === this.#engine) return;
    const before = ENGINES[this.#engine];
    this.#engine = /** @type {keyof typeof ENGINES} */ (engine);
    for (const [index, worker] of this.#byIndex) {
      if (before(index) === ENGINES[this.#engine](index) || worker.isDead()) continue;
      this.#restarting.add(worker);
      worker.process.kill('SIGTERM');
    }
  }

  /** Ends them. */
  async stop() {
    this.#stopping = true;
    const workers = [...this.#byIndex.values()].filter((worker) => !worker.isDead());
    const gone = Promise.all(workers.map((worker) => once(worker, 'exit')));
    for (const worker of workers) worker.process.kill('SIGTERM');
    await Promise.race([gone, delay(EXIT_TIMEOUT)]);
    for (const worker of workers) worker.process.kill('SIGKILL');
  }
}

module.exports = { Workers };
