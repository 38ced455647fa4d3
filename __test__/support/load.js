'use strict';

/** Numbered messages, and the books on what became of each of them. */

const assert = require('node:assert/strict');
const { setTimeout: delay } = require('node:timers/promises');
const { inspect } = require('node:util');

const { PATIENCE } = require('./limits');

/**
 * Waits until something that has no event is so.
 * @param {string} what
 * @param {() => unknown} holds
 * @param {() => unknown} [about] what is to be known where it never is
 */
async function until(what, holds, about) {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw inVain(what, about);
    await delay(2);
  }
}

/**
 * Resolves when a socket of engine.io writes to its client at once. No event says so of a native transport, which
 * always takes packets.
 * @param {any} conn
 */
function writable(conn) {
  return until('the client to be writable', () => conn.transport.writable && conn.writeBuffer.length === 0);
}

/**
 * A promise that has no limit of its own, with one. It does not keep the process.
 * @template T
 * @param {string} what
 * @param {Promise<T>} promise
 * @param {() => unknown} [about] what is to be known where it comes to nothing
 * @returns {Promise<T>}
 */
function within(what, promise, about) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(inVain(what, about)), PATIENCE).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** @param {string} what @param {() => unknown} [about] */
function inVain(what, about) {
  const known = about ? `\n${inspect(about(), { depth: 5, maxArrayLength: 100 })}` : '';
  return new Error(`in vain waited for: ${what}${known}`);
}

/** The events of a store, in the order in which it told them. */
class EventLog {
  /** @type {{ event: string, connection?: string, [more: string]: any }[]} */
  events = [];

  /** @param {import('node:events').EventEmitter & { stats?: () => any }} store */
  constructor(store) {
    this.store = store;
    for (const event of ['connect', 'disconnect', 'reconnecting', 'gap', 'close']) {
      store.on(event, (details) => this.events.push({ event, ...details }));
    }
    store.on('error', (error) => {
      this.events.push({ event: 'error', connection: error.connection, code: error.code, error });
    });
  }

  /**
   * @param {string} event
   * @param {string} [connection]
   */
  all(event, connection) {
    return this.events.filter((one) => one.event === event && (!connection || one.connection === connection));
  }

  /** @param {string} code */
  errors(code) {
    return this.all('error').filter((one) => one.code === code);
  }

  /**
   * Waits for an event of one connection that it has not told yet, or `since` a position.
   * @param {string} event
   * @param {string} [connection]
   * @param {(details: any) => boolean} [fits]
   * @param {number} [since] a former `events.length`
   */
  async next(event, connection, fits = () => true, since = this.events.length) {
    const match = () =>
      this.events
        .slice(since)
        .find((one) => one.event === event && (!connection || one.connection === connection) && fits(one));
    await until(`${event} of ${connection ?? 'the store'}`, match, () => this.known(since));
    return match();
  }

  /** For the message of a failed test. @param {number} [since] a former `events.length` */
  known(since = 0) {
    return { stats: this.store.stats?.(), events: this.events.slice(since) };
  }
}

/** Publishes 1, 2, 3 … on a channel and keeps when each was sent and settled. */
class Load {
  /** Of number n at n - 1: when it was handed over. @type {number[]} */
  sentAt = [];
  /** Of number n at n - 1: when it was seen published, dropped or unconfirmed. @type {number[]} */
  settledAt = [];
  #running = false;
  #done = Promise.resolve();

  /**
   * @param {import('../..').RedisStore} store
   * @param {string} channel
   * @param {...any} filler what each message carries besides its number
   */
  constructor(store, channel, ...filler) {
    this.store = store;
    this.channel = channel;
    this.filler = filler;
    this.eventLog = new EventLog(store);
  }

  get sent() {
    return this.sentAt.length;
  }

  /** @param {number} count */
  send(count) {
    for (let i = 0; i < count; i++) {
      this.sentAt.push(Date.now());
      this.store.publish(this.channel, this.sentAt.length, ...this.filler);
    }
  }

  /** Messages settle in the order in which they were sent, so their number says which. */
  observe() {
    const { published, dropped, unconfirmed } = this.store.stats();
    const now = Date.now();
    while (this.settledAt.length < published + dropped + unconfirmed) this.settledAt.push(now);
  }

  /**
   * Sends `chunk` messages about every ms until `stop()`.
   * @param {number} chunk
   */
  start(chunk) {
    this.#running = true;
    this.#done = (async () => {
      while (this.#running) {
        this.send(chunk);
        await delay(1);
        this.observe();
      }
    })();
  }

  /** Ends it, and waits until nothing is under way and all events about it have been told. */
  async stop() {
    this.#running = false;
    await this.#done;
    await until('all that was sent to be settled', () => {
      this.observe();
      return this.settledAt.length >= this.sent && this.store.stats().queues.publish.messages === 0;
    });
    // Whatever the store had to tell before the answer to this has been told then.
    await new Promise((resolve) => {
      this.store.client('load').get('barrier', resolve);
    });
    await until('the answer to be done with', () => this.store.stats().queues.publish.messages === 0);
  }

  /** Waits until `count` more have been sent. @param {number} count */
  async more(count) {
    const goal = this.sent + count;
    await until(`${goal} messages sent`, () => this.sent >= goal);
  }

  /** What `gap` events have told of the publishing connection, and what stats say. */
  books() {
    const gaps = this.eventLog.all('gap', 'pub');
    const sum = (name) => gaps.reduce((total, gap) => total + gap[name], 0);
    const { published, dropped, unconfirmed, queues } = this.store.stats();
    return {
      sent: this.sent,
      published,
      dropped,
      unconfirmed,
      queued: queues.publish.messages,
      told: { dropped: sum('dropped'), unconfirmed: sum('unconfirmed') },
    };
  }

  /** Every message has come to one known end, and every loss was told. */
  assertBalanced() {
    const { sent, published, dropped, unconfirmed, queued, told } = this.books();
    assert.equal(published + dropped + unconfirmed + queued, sent, 'sent = published + dropped + unconfirmed + queued');
    assert.deepEqual(told, { dropped, unconfirmed }, 'gap events sum to what was lost');
  }
}

/** The numbers that a store has received on a channel. */
class Receipt {
  /** @type {number[]} */
  numbers = [];

  /**
   * @param {import('../..').RedisStore} store
   * @param {string} channel
   */
  constructor(store, channel) {
    this.eventLog = new EventLog(store);
    const subscribed = new Promise((resolve) => {
      store.subscribe(
        channel,
        (number) => this.numbers.push(number),
        () => resolve(undefined),
      );
    });
    this.subscribed = within(`the subscription to ${channel}`, subscribed, () => this.eventLog.known());
  }

  get last() {
    return this.numbers.at(-1) ?? 0;
  }

  /** Waits until `count` more have been received. @param {number} count */
  async more(count) {
    const goal = this.numbers.length + count;
    const known = () => [this.numbers.length, this.eventLog.known()];
    await until(`${goal} messages received`, () => this.numbers.length >= goal, known);
  }

  /** Waits for what was sent last: what is missing then will not come. @param {Load} load */
  async complete(load) {
    const known = () => [this.last, this.eventLog.known(), load.eventLog.known()];
    await until(`number ${load.sent} to be received`, () => this.last >= load.sent, known);
  }

  assertInOrder() {
    const wrong = this.numbers.findIndex((number, i) => i > 0 && number <= this.numbers[i - 1]);
    assert.equal(wrong, -1, `after ${this.numbers[wrong - 1]} came ${this.numbers[wrong]}`);
  }

  /** @param {Load} load */
  missing({ sent }) {
    const received = new Set(this.numbers);
    return Array.from({ length: sent }, (_, i) => i + 1).filter((number) => !received.has(number));
  }

  /**
   * The missing numbers that none of `gaps` covers the time of, which is that between the moment
   * they were sent and the moment they were settled: Redis had them in between, or never.
   * @param {Load} load
   * @param {{ since: number, duration: number }[]} gaps
   */
  missingOutside(load, gaps) {
    return this.missing(load).filter(
      (number) =>
        !gaps.some(
          ({ since, duration }) => load.sentAt[number - 1] <= since + duration && load.settledAt[number - 1] >= since,
        ),
    );
  }

  /** Every missing message lies in a gap that either side has told. @param {Load} load */
  assertTold(load) {
    const gaps = [...this.eventLog.all('gap', 'sub'), ...load.eventLog.all('gap', 'pub')];
    assert.deepEqual(describe(this.missingOutside(load, gaps), load, gaps), [], 'every missing message lies in a gap');
  }
}

/**
 * The books of a publisher that may have been hit and a subscriber that was not.
 * @param {Load} load
 * @param {Receipt} receipt
 */
function assertSubscriberHealthy(load, receipt) {
  const { published, unconfirmed } = load.books();
  const delivered = receipt.numbers.length;
  load.assertBalanced();
  receipt.assertInOrder();
  assert.ok(published <= delivered, `published ${published} > delivered ${delivered}`);
  assert.ok(delivered <= published + unconfirmed, `delivered ${delivered} > ${published} + ${unconfirmed}`);
  assert.deepEqual(receipt.eventLog.all('gap'), []);
  receipt.assertTold(load);
}

/**
 * The books of a publisher that was not hit and a subscriber that was.
 * @param {Load} load
 * @param {Receipt} receipt
 */
function assertPublisherHealthy(load, receipt) {
  const { sent, published } = load.books();
  load.assertBalanced();
  assert.equal(published, sent);
  receipt.assertInOrder();
  assert.deepEqual(load.eventLog.all('gap'), []);
  receipt.assertTold(load);
}

/**
 * The books when both have been hit: what is missing was lost by the publisher, who says how
 * many, or lies in a gap of the subscriber.
 * @param {Load} load
 * @param {Receipt} receipt
 */
function assertBothHit(load, receipt) {
  load.assertBalanced();
  receipt.assertInOrder();
  const { dropped, unconfirmed } = load.books();
  const missing = receipt.missing(load).length;
  assert.equal(receipt.numbers.length + missing, load.sent);
  assert.ok(missing >= dropped, `${dropped} dropped, but only ${missing} missing`);
  receipt.assertTold(load);
  const publishers = receipt.missingOutside(load, receipt.eventLog.all('gap', 'sub')).length;
  assert.ok(
    publishers <= dropped + unconfirmed,
    `${publishers} lost by the publisher, who told ${dropped} + ${unconfirmed}`,
  );
}

/** Missing numbers with their times against the gap before them, for the message of a failed test. */
function describe(numbers, { sentAt, settledAt }, gaps) {
  return numbers.slice(0, 3).map((number) => {
    const [sent, settled] = [sentAt[number - 1], settledAt[number - 1]];
    const { since, duration } = gaps.findLast((gap) => gap.since <= settled) ?? { since: NaN, duration: NaN };
    return (
      `${number}, one of ${numbers.length}, was sent at ${sent} and settled by ${settled}, and the gap before it` +
      ` is from ${since} to ${since + duration}`
    );
  });
}

/**
 * Destroys stores and waits for their `close`.
 * @param {...import('../..').RedisStore} stores
 */
async function closeAll(...stores) {
  await Promise.all(
    stores.map((store) => {
      const closed = new Promise((resolve) => {
        store.once('close', resolve);
        store.destroy();
      });
      return within('the end of a store', closed, () => store.stats());
    }),
  );
}

/**
 * Like `t.after`, but what was made last is cleaned up first.
 * @param {import('node:test').TestContext} t
 * @returns {(clean: () => unknown) => void}
 */
function cleanup(t) {
  /** @type {(() => unknown)[]} */
  const steps = [];
  t.after(async () => {
    const errors = [];
    for (const step of steps.reverse()) {
      // A step that fails keeps none of the others from being done.
      await Promise.resolve()
        .then(step)
        .catch((error) => errors.push(error));
    }
    if (errors.length > 0) throw errors[0];
  });
  return (step) => steps.push(step);
}

/** Sends one last message, and waits until it has arrived and all is settled. */
async function finish(load, receipt) {
  await load.stop();
  load.send(1);
  await receipt.complete(load);
  await load.stop();
}

module.exports = {
  Load,
  Receipt,
  EventLog,
  until,
  within,
  writable,
  closeAll,
  cleanup,
  finish,
  assertSubscriberHealthy,
  assertPublisherHealthy,
  assertBothHit,
};
