'use strict';

/**
 * Whole lives of processes (and threads) with a store in them. Run as the main module it runs the program
 * that its arguments name, required it starts such a process.
 */

const { fork } = require('node:child_process');
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { RedisStore } = require('../..');
const { ask, inbox, subscribe } = require('../support/stores.js');

/**
 * Starts a program in a process of its own, which is killed when the test ends earlier than it.
 * @param {import('node:test').TestContext} t
 * @param {keyof typeof programs} program
 * @param {object} [settings] for the program
 * @param {string[]} [execArgv] for Node
 */
function runProgram(t, program, settings = {}, execArgv = []) {
  const child = fork(__filename, [program, JSON.stringify(settings)], {
    execArgv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const closed = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const reported = inbox();
  child.on('message', reported);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  return {
    child,
    /** What the program has reported. */
    reported,
    /** Resolves once it has ended, with how it did and all that it wrote. */
    ended: closed.then(([code, signal]) => ({ code, signal, output })),
  };
}

const open = (url, options) => new RedisStore({ redisPub: url, redisSub: url, redisClient: url, ...options });
const report = (...args) => process.send(args.length > 1 ? args : args[0]);

/** Memory after a collection, in bytes. */
async function memory() {
  for (let i = 0; i < 10; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}

/** Repeats a round: some times to warm up, then measured. */
async function measure(round, warmUps, rounds) {
  for (let i = 0; i < warmUps; i++) await round(i);
  const before = await memory();
  for (let i = 0; i < rounds; i++) await round(warmUps + i);
  const after = await memory();
  report({ heapUsed: after.heapUsed - before.heapUsed, rss: after.rss - before.rss });
}

const programs = {
  /** Uses a store and destroys it; then nothing is left to do. */
  async use({ url }) {
    const store = open(url);
    await subscribe(store, 'message', () => {});
    await ask(store.client('id'), 'set', 'key', 'value');
    store.publish('message', 1);
    store.destroy();
  },

  /** Has an open store that is not to keep the process alive. */
  async unref({ url }) {
    const store = open(url);
    await subscribe(store, 'message', () => {});
    store.unref();
  },

  /** Takes all listeners off a store and destroys it. */
  async deafen({ url }) {
    const store = open(url);
    await subscribe(store, 'message', () => {});
    store.removeAllListeners();
    store.destroy();
  },

  /** Destroys a store in the tick that made it, or `later`, whether Redis is there or not. */
  async destroy({ url, later, publishes = 0 }) {
    const store = open(url, { commandTimeout: 100 });
    store.on('error', () => {});
    for (let i = 0; i < publishes; i++) store.publish('message', i);
    if (later)
      await new Promise((resolve) => {
        store.once(later, resolve);
      });
    store.on('close', () => report(store.stats().dropped));
    store.destroy();
  },

  /** Is open, and answers. */
  answer({ url }) {
    const store = open(url);
    store.subscribe('ask', (text) => store.publish('answer', text));
  },

  /** Is open, and says how it fails to connect. */
  reconnect({ url }) {
    const store = open(url);
    store.on('error', () => {});
    store.on('reconnecting', ({ connection, attempt }) => {
      if (connection === 'sub') report(attempt);
    });
  },

  /** Has consumers and callbacks that throw. With `caught`, a listener for that. */
  async throw({ url, caught }) {
    const errors = [];
    if (caught) process.on('uncaughtException', (error) => errors.push(error.message));
    const store = open(url);
    const seen = [];
    store.subscribe('message', (i) => {
      seen.push(i);
      if (i % 2) throw new Error(`consumer ${i}`);
    });
    store.subscribe('message', (i) => {
      seen.push(`and ${i}`);
    });
    await subscribe(store, 'end', () => {
      store.client('id').get('key', () => {
        throw new Error('callback');
      });
      store.client('id').get('key', () =>
        setImmediate(() => {
          report({ seen, errors });
          store.destroy();
        }),
      );
    });
    report('ready');
  },

  /** Has a listener that throws. */
  throwInListener({ url }) {
    const store = open(url);
    store.on('connect', () => {
      throw new Error('listener');
    });
  },

  /** Exits in a consumer while messages pour in. */
  async exit({ url, code, at }) {
    const store = open(url);
    let count = 0;
    await subscribe(store, 'message', () => {
      store.publish('echo', count);
      store.client('id').set('key', count, () => {});
      if (++count === at) process.exit(code);
    });
    report('ready');
  },

  /** Makes and forgets clients with data. */
  async churnClients({ url, options, warmUps, rounds, clients }) {
    const store = open(url, options);
    await measure(
      async (round) => {
        for (let i = 0; i < clients; i++) {
          const id = `client ${round} ${i}`;
          store
            .client(id)
            .set('key', `value of ${id}`, () => {})
            .get('key', () => {});
          store.destroyClient(id);
          if (i % 500 === 499) await ask(store.client('last'), 'get', 'key');
        }
        store.destroyClient('last');
      },
      warmUps,
      rounds,
    );
    store.destroy();
  },

  /** Joins and leaves channels of ever new names. */
  async churnChannels({ url, warmUps, rounds, channels }) {
    const store = open(url);
    await measure(
      async (round) => {
        for (let i = 0; i < channels; i++) {
          const name = `channel ${round} ${i}`;
          store.subscribe(
            name,
            () => {},
            () => {},
          );
          if (i % 500 < 499) store.unsubscribe(name, () => {});
          else await ask(store, 'unsubscribe', name);
        }
      },
      warmUps,
      rounds,
    );
    store.destroy();
  },

  /** Hears and says many messages. */
  async churnMessages({ url, warmUps, rounds, messages }) {
    const [store, other] = [open(url), open(url)];
    const consumer = inbox();
    await subscribe(store, 'message', (...args) => {
      if (args[0] === messages) consumer();
    });
    await measure(
      async () => {
        for (let i = 1; i <= messages; i++) other.publish('message', i, 'é'.repeat(50), { list: [i] });
        await consumer.next();
        consumer.calls.length = 0;
      },
      warmUps,
      rounds,
    );
    store.destroy();
    other.destroy();
  },

  /** Opens and destroys stores. */
  async churnStores({ url, warmUps, rounds, stores }) {
    await measure(
      async () => {
        for (let i = 0; i < stores; i++) {
          const store = open(url);
          await ask(store.client('id'), 'set', 'key', 'value');
          const closed = once(store, 'close');
          store.destroy();
          await closed;
        }
      },
      warmUps,
      rounds,
    );
  },

  /** Terminates threads that have stores, then says so and waits for the word to end. */
  async terminate({ url, threads }) {
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(__filename, { workerData: { program: 'thread', settings: { url } } });
      await once(worker, 'message'); // it hears messages
      await worker.terminate();
    }
    report('terminated');
    await once(process, 'message');
    process.disconnect();
  },

  /** Has threads that come to their end in their own ways. */
  async threads({ url }) {
    for (const program of ['use', 'exitThread']) {
      const worker = new Worker(__filename, { workerData: { program, settings: { url } } });
      const [code] = await once(worker, 'exit');
      report(program, code);
    }
  },

  /** A thread that hears messages, and answers each. */
  thread({ url }) {
    const store = open(url);
    let reported = false;
    store.subscribe('message', (i) => {
      if (!reported) parentPort.postMessage('hears');
      reported = true;
      store.publish('echo', i);
      store.client('id').set('key', i, () => {});
    });
  },

  /** A thread that exits with its store open. */
  async exitThread({ url }) {
    const store = open(url);
    await ask(store.client('id'), 'set', 'key', 'value');
    process.exit(5);
  },
};

if (!isMainThread && workerData?.program in programs) {
  programs[workerData.program](workerData.settings);
} else if (require.main === module) {
  programs[process.argv[2]](JSON.parse(process.argv[3]));
}

module.exports = { runProgram };
