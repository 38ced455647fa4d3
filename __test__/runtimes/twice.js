'use strict';

/**
 * The package loaded several times in one process, as test runners do: the module registry reset,
 * CommonJS in contexts of its own (as jest does), ECMAScript modules in contexts of its own
 * (`--experimental-vm-modules`). All copies speak with each other. Prints `ok`.
 */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const { close, converse } = require('./store-smoke');

const ROOT = path.join(__dirname, '../..');
const ENTRY = path.join(ROOT, 'index.js');
/** What jest's environment for Node gives to a context, beside the language's own. */
const GLOBALS = [
  'Buffer',
  'URL',
  'URLSearchParams',
  'TextDecoder',
  'TextEncoder',
  'console',
  'process',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
  'structuredClone',
];

const isOurs = (file) =>
  file.startsWith(ROOT + path.sep) && !file.startsWith(path.join(ROOT, 'node_modules') + path.sep);

function newContext() {
  const sandbox = Object.fromEntries(
    GLOBALS.filter((name) => name in globalThis).map((name) => [name, globalThis[name]]),
  );
  sandbox.global = sandbox;
  return vm.createContext(sandbox);
}

/** Loads the package anew. `addons`: the binary as well, not only what is around it. */
function reset(addons) {
  for (const file of Object.keys(require.cache)) {
    if (isOurs(file) && (addons || !file.endsWith('.node')) && !file.startsWith(__dirname)) delete require.cache[file];
  }
  return require(ENTRY);
}

/** Loads the package's files as CommonJS modules of a context; all else comes from outside. */
function contextual() {
  const context = newContext();
  const registry = new Map();
  const load = (file) => {
    if (registry.has(file)) return registry.get(file).exports;
    const module = { exports: {} };
    registry.set(file, module);
    const outer = createRequire(file);
    const inner = (name) => {
      const found = outer.resolve(name);
      return isOurs(found) && found.endsWith('.js') ? load(found) : outer(name);
    };
    const wrapped = vm.compileFunction(
      fs.readFileSync(file, 'utf8'),
      ['module', 'exports', 'require', '__filename', '__dirname'],
      { filename: file, parsingContext: context },
    );
    wrapped(module, module.exports, Object.assign(inner, outer), file, path.dirname(file));
    return module.exports;
  };
  return load(ENTRY);
}

/** Imports the package by a module of a context. */
async function imported() {
  const context = newContext();
  const module = new vm.SourceTextModule(
    "import { RedisStore } from 'socket.io-redis-native'; export { RedisStore }; export const options = (url) => " +
      '({ redisPub: url, redisSub: { host: url.hostname, port: Number(url.port) }, redisClient: url.href });',
    { context },
  );
  await module.link(() => {
    const exports = contextual();
    return new vm.SyntheticModule(
      Object.keys(exports),
      function evaluate() {
        for (const name of Object.keys(exports)) this.setExport(name, exports[name]);
      },
      { context },
    );
  });
  await module.evaluate();
  return module.namespace;
}

/** An application in a context that has a package from outside: its objects have other prototypes. */
function foreign({ RedisStore }, url) {
  const context = newContext();
  Object.assign(context, { RedisStore, url });
  const address = '{ host: new URL(url).hostname, port: Number(new URL(url).port) }';
  return vm.runInContext(
    `new RedisStore({ redisPub: ${address}, redisSub: ${address}, redisClient: url,
    offlineQueue: { messages: 10 }, nodeId: () => 'foreign', pack: JSON.stringify, unpack: JSON.parse })`,
    context,
  );
}

async function main({ url }) {
  const first = require(ENTRY);
  const copies = [first, reset(false), contextual(), contextual()];
  if (vm.SourceTextModule) copies.push(await imported(), await imported());
  copies.push(reset(true), reset(true));
  assert.equal(new Set(copies.map(({ RedisStore }) => RedisStore)).size, copies.length);

  const stores = copies.map(
    ({ RedisStore, options }) =>
      new RedisStore(options ? options(new URL(url)) : { redisPub: url, redisSub: url, redisClient: url }),
  );
  stores.push(foreign(first, url));
  for (const [i, store] of stores.entries()) {
    const other = stores[(i + 1) % stores.length];
    await converse(store, other, `${process.pid}:${i}`);
    assert.deepEqual(
      await new Promise((resolve) => {
        store
          .client(`${process.pid}`)
          .set('key', i, () => other.client(`${process.pid}`).get('key', (...answer) => resolve(answer)));
      }),
      [null, String(i)],
    );
  }
  for (const { RedisStore } of copies) {
    assert.throws(() => new RedisStore({ codec: 'xml' }), { name: 'TypeError', code: 'ERR_INVALID_OPTION' });
  }
  for (const store of stores) await close(store);
  console.log('ok');
}

main(JSON.parse(process.argv[2]));
