'use strict';

/**
 * Whole lives of stores whose memory is looked at. Run as the main module it runs the program that
 * its arguments name, required it starts such a process; as a thread it is one of a thousand.
 */

const { fork } = require('node:child_process');
const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { RedisStore } = require('../..');
const { collect, holdings } = require('./holdings');

/** V8 would enlarge the young generation under load, and hide what the native side keeps. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=1'];

/**
 * Starts a program in a process of its own, which is killed when the test ends earlier than it.
 * @param {import('node:test').TestContext} t
 * @param {keyof typeof programs} program
 * @param {object} settings for the program
 * @returns {{ child: import('node:child_process').ChildProcess, reported: Promise<any>, ended: Promise<{ code: number | null, signal: string | null, output: string }> }}
 *   what the program reports, once; and how it ended with all that it wrote
 */
function runProgram(t, program, settings) {
  const child = fork(__filename, [program, JSON.stringify(settings)], {
    execArgv: FLAGS,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const reported = once(child, 'message').then(([message]) => message);
  const early = ended.then((how) => {
    throw new Error(`it ended and reported nothing: ${JSON.stringify(how)}`);
  });
  return { child, ended, reported: Promise.race([reported, early]) };
}

const open = (url, options) => new RedisStore({ redisPub: url, redisSub: url, redisClient: url, ...options });
const report = (message) => process.send(message);
const ask = (object, method, ...args) =>
  new Promise((resolve) => {
    object[method](...args, (...answer) => resolve(answer));
  });

async function close(store) {
  const closed = new Promise((resolve) => {
    store.once('close', resolve);
  });
  store.destroy();
  await closed;
}

/** Publishes numbers until it is told to stop, no more than Redis has taken. */
function flood(store, channel) {
  let going = true;
  let i = 0;
  (function more() {
    if (!going) return;
    for (let n = 0; n < 50; n++) store.publish(channel, i++, 'x'.repeat(100));
    store.client('flood').has('key', () => setImmediate(more));
  })();
  return () => {
    going = false;
  };
}

/** One thread from its start to its violent end, in the midst of traffic. */
async function thread(url) {
  const worker = new Worker(__filename, { workerData: { url }, execArgv: [] });
  await once(worker, 'message');
  await worker.terminate();
}

/**
 * Makes stores that nobody holds any more.
 * @param {number} count
 * @param {(store: any) => unknown} use what is done with each
 * @returns {Promise<WeakRef<any>[]>}
 */
async function forgotten(count, use, options) {
  const references = [];
  const { url } = settings;
  for (let i = 0; i < count; i++) {
    const store = open(url, options);
    references.push(new WeakRef(store));
    await use(store);
  }
  return references;
}

const alive = (references) => references.filter((reference) => reference.deref() !== undefined).length;

/** Resolves once none of them is left; the test's end is the limit. */
async function gone(references) {
  while (alive(references) > 0) await collect();
}

/** Asks and destroys a store at once, and resolves with the code of the error that answers. */
async function leave(reference) {
  const store = reference.deref();
  const [[error]] = await Promise.all([ask(store.client('other'), 'get', 'key'), close(store)]);
  return error.code;
}

/** Uses a store as an application would: with consumers and callbacks that know it. */
async function use(store) {
  await new Promise((resolve) => {
    store.subscribe('message', () => store.publish('echo'), resolve);
  });
  store.on('error', () => store.stats());
  await ask(store.client('id'), 'set', 'key', 'value');
}

const programs = {
  /** A thousand threads, some at once, that are terminated while messages pour in. */
  async threads({ url, first, all, together }) {
    const store = open(url);
    const stop = flood(store, 'message');
    const batches = async (count) => {
      for (let i = 0; i < count; i += together) await Promise.all(Array.from({ length: together }, () => thread(url)));
    };
    await batches(first);
    const before = await holdings();
    await batches(all - first);
    stop();
    const after = await holdings();
    report({ before, after });
    await once(process, 'message');
    await close(store);
    process.disconnect();
  },

  /** Stores that were destroyed, at each point of their lives, are garbage. */
  async destroyed({ count }) {
    await gone(await forgotten(count, (store) => use(store).then(() => close(store))));
    await gone(await forgotten(count, (store) => close(store)));
    await gone(await forgotten(count, (store) => ask(store.client('id'), 'get', 'key').then(() => close(store))));
    report('collected');
    process.disconnect();
  },

  /** A store that is destroyed while Redis is silent, with callbacks that wait. */
  async unanswered({ count }) {
    const references = await forgotten(
      count,
      async (store) => {
        await use(store);
        store.on('error', () => {});
      },
      { commandTimeout: 100 },
    );
    report('used');
    await once(process, 'message'); // Redis is silent by now
    // In a function of its own, whose variables are no roots afterwards.
    const codes = await Promise.all(references.map(leave));
    await gone(references);
    process.send({ codes: [...new Set(codes)] });
    process.disconnect();
  },

  /** A store that nobody holds and nobody destroyed lives on, and answers. */
  async abandoned() {
    const [reference] = await forgotten(
      1,
      (store) =>
        new Promise((resolve) => {
          store.subscribe('ask', (i) => store.publish('answer', i), resolve);
        }),
    );
    await collect();
    report('abandoned');
    process.on('message', async (message) => {
      await collect();
      if (message === 'alive') report(alive([reference]));
      else await close(reference.deref()).then(() => process.disconnect());
    });
  },
};

let settings = {};
if (!isMainThread && workerData?.url) {
  const store = open(workerData.url);
  let reported = false;
  store.subscribe('message', (i) => {
    if (!reported) parentPort.postMessage('hears');
    reported = true;
    store.publish('echo', i);
    store.client(`${i}`).get('key', () => {});
  });
} else if (require.main === module) {
  settings = JSON.parse(process.argv[3]);
  programs[process.argv[2]](settings);
}

module.exports = { runProgram };
