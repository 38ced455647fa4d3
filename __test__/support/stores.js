'use strict';

/**
 * The store under test and its model, opened the same way; and what tests of either need.
 */

const { once } = require('node:events');
const net = require('node:net');
const { afterEach } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const redis = require('redis-0.7');

const { until: patiently, within } = require('./load');

const HOST = '127.0.0.1';

/** The JavaScript store is the model of ours: what is true of one is true of the other. */
const implementations = [
  { name: 'the JavaScript store of socket.io@0.9.19', RedisStore: require('socket.io').RedisStore },
  { name: 'the native store', RedisStore: require('../..').RedisStore },
];

/** A client of redis@0.7.3, which a store may be given. It is the store's to end. */
function createClient(port, options) {
  const client = redis.createClient(port, HOST, options);
  client.on('error', () => {});
  return client;
}

/**
 * A store of either kind, on clients of its own; its end is the caller's.
 * @param {string} kind 'JavaScript' or 'native'
 * @param {{ port: number, url: string }} server
 * @returns {any}
 */
function openStore(kind, { port, url }) {
  const native = kind === 'native';
  const endpoint = () => (native ? url : createClient(port));
  const endpoints = { redisPub: endpoint(), redisSub: endpoint(), redisClient: endpoint() };
  return new implementations[native ? 1 : 0].RedisStore({ redis, ...endpoints });
}

/**
 * Opens stores for the tests of one `describe` and destroys them after each test.
 * @param {Function} RedisStore either implementation
 * @param {() => { port: number }} server
 * @returns {(options?: Record<string, any>) => any} what opens a store with clients of redis@0.7.3;
 *   `nodeId` may be the id itself, and undefined
 */
function opener(RedisStore, server) {
  /** @type {{ store: any, closed: Promise<unknown> | undefined }[]} */
  const open = [];
  afterEach(async () => {
    const stores = open.splice(0);
    for (const { store } of stores) store.destroy();
    // What the store still owes Redis has left then; the JavaScript store does not tell.
    await Promise.all(stores.map(({ closed }) => closed));
  });
  return ({ nodeId, ...options } = {}) => {
    const endpoints = ['redisPub', 'redisSub', 'redisClient'].filter((name) => !(name in options));
    const store = new RedisStore({
      redis,
      ...Object.fromEntries(endpoints.map((name) => [name, createClient(server().port)])),
      ...(nodeId === undefined ? {} : { nodeId: typeof nodeId === 'function' ? nodeId : () => nodeId }),
      ...options,
    });
    const tells = typeof store.stats === 'function';
    open.push({
      store,
      closed: tells
        ? new Promise((resolve) => {
            store.once('close', resolve);
          })
        : undefined,
    });
    return store;
  };
}

/**
 * A consumer (or listener, or callback) whose calls can be awaited.
 * @returns {((...args: any[]) => void) & { next(): Promise<any[]>, take(count: number): Promise<any[][]>, calls: any[][] }}
 *   `next` gives the arguments of the next call that nobody has taken yet; `calls` are all so far
 */
function inbox() {
  /** @type {any[][]} */
  const calls = [];
  /** @type {any[][]} */
  const fresh = [];
  /** @type {((args: any[]) => void)[]} */
  const waiting = [];
  const receive = (...args) => {
    calls.push(args);
    const resolve = waiting.shift();
    if (resolve) resolve(args);
    else fresh.push(args);
  };
  const next = () =>
    fresh.length > 0 ? Promise.resolve(fresh.shift()) : new Promise((resolve) => waiting.push(resolve));
  const take = async (count) => {
    const taken = [];
    while (taken.length < count) taken.push(await next());
    return taken;
  };
  return Object.assign(receive, { calls, next, take });
}

/** Subscribes, and resolves once Redis has confirmed it. */
function subscribe(store, name, consumer) {
  const subscribed = new Promise((resolve) => {
    store.subscribe(name, consumer, resolve);
  });
  return within(`the subscription to ${name}`, subscribed, () => store.stats?.());
}

/** Calls a method with a callback, and resolves with all that the callback was called with. */
function ask(object, method, ...args) {
  const asked = new Promise((resolve) => {
    object[method](...args, (...answer) => resolve(answer));
  });
  return within(`the answer to ${method}`, asked);
}

/** Resolves when `condition` holds. For what Redis does not tell by itself; the test's end is the limit. */
async function until(condition) {
  while (!(await condition())) await turn();
}

/** Resolves once all connections of one of our stores are up. */
async function connected(store) {
  const isUp = ({ state }) => state === 'connected';
  const all = () => Object.values(store.stats().connections);
  // After a stall there is no `connect`.
  await patiently('all connections', () => all().every(isUp), all);
}

/** What `CLIENT LIST` says of all connections but the asking one, each as an object. */
async function clientList(server) {
  const lines = (await server.command('CLIENT', 'LIST')).trim().split('\n');
  return lines
    .map((line) => Object.fromEntries(line.split(' ').map((field) => field.split(/=(.*)/s).slice(0, 2))))
    .filter(({ cmd }) => cmd !== 'client|list' && cmd !== 'client');
}

/**
 * Listens to all that Redis is told.
 * @param {import('node:test').TestContext} t
 * @param {{ port: number, command(...args: string[]): Promise<any> }} server
 * @returns {Promise<{ end(): Promise<string[]> }>} `end` resolves with the lines of MONITOR so far
 */
async function monitor(t, server) {
  const socket = net.connect(server.port, HOST);
  t.after(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk;
  });
  socket.write('MONITOR\r\n');
  const read = async (wanted) => {
    while (!text.includes(wanted)) await once(socket, 'data');
  };
  await read('+OK\r\n');
  return {
    async end() {
      await server.command('ECHO', 'the end of the monitor');
      await read('the end of the monitor');
      return text.split('\r\n').slice(1, -1);
    },
  };
}

module.exports = {
  HOST,
  ask,
  clientList,
  connected,
  createClient,
  implementations,
  inbox,
  monitor,
  openStore,
  opener,
  redis,
  subscribe,
  until,
};
