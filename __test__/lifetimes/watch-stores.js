'use strict';

/**
 * Watches every store that a program makes; preloaded with
 * `node --expose-gc --require ./__test__/lifetimes/watch-stores.js --test …`. A store that has closed
 * and is not collected by the end of the program is a leak, which makes the program fail.
 */

const { parts } = require('../../lib/store/client');

/** @type {Set<WeakRef<any>>} */
const closed = new Set();
let made = 0;

// Every store enters itself here when it is made.
const enter = parts.set;
parts.set = function set(store, value) {
  made++;
  const reference = new WeakRef(store);
  store.once('close', () => closed.add(reference));
  return enter.call(this, store, value);
};

/** The last stores of a test file are still known to its hooks. */
const KNOWN = 10;

let looked = false;
process.on('beforeExit', async () => {
  if (looked || made === 0) return;
  looked = true;
  for (let i = 0; i < 20; i++) {
    global.gc();
    await new Promise(setImmediate);
  }
  const left = [...closed].filter((reference) => reference.deref() !== undefined).length;
  process.stderr.write(`${made} stores, ${closed.size} closed, ${left} not collected\n`);
  if (left > KNOWN) process.exitCode = 1;
});
