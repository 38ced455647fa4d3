'use strict';

/**
 * Whole lives of adapters of Socket.IO 4 whose memory is looked at. Run as the main module it runs
 * the program that its arguments name, as a thread it is one of those that are terminated.
 */

const { once } = require('node:events');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
const { Server } = require('socket.io-4');

const { createAdapter } = require('../..');
const { collect, holdings } = require('./holdings');
const { PATIENCE } = require('../support/limits');

const ROUND = 50;
const TEXT = 'x'.repeat(100);

/** Resolves once none of them is left; the test's end is the limit. */
async function gone(references) {
  while (references.some((reference) => reference.deref() !== undefined)) await collect();
}

/** Broadcasts until it is told to stop, no more than Redis has taken. */
function flood(io) {
  let going = true;
  const ended = (async () => {
    while (going) {
      for (let i = 0; i < ROUND; i++) io.to(i % 2 ? 'room' : []).emit('news', i, TEXT);
      await io.of('/').adapter.serverCount();
    }
  })();
  return () => {
    going = false;
    return ended;
  };
}

/** One thread from its start to its violent end, in the midst of traffic. */
async function thread(url) {
  const worker = new Worker(__filename, { workerData: { url }, execArgv: [] });
  await once(worker, 'message');
  await worker.terminate();
}

/** What a thread does: it hears, says and asks all the time. */
async function live(url) {
  parentPort.on('message', () => {}); // keeps the thread
  const io = new Server({ adapter: createAdapter(url, { requestsTimeout: 200 }) });
  const { adapter } = io.of('/');
  adapter.addAll('socket', new Set(['room']));
  flood(io);
  while (adapter.stats().delivered === 0) await adapter.serverCount();
  parentPort.postMessage('hears');
  // Who is terminated does not answer.
  for (;;) await Promise.all([adapter.allRooms(), adapter.countSockets()]).catch(() => {});
}

/** A namespace that is opened, used and closed, as `cleanupEmptyChildNamespaces` does it. */
async function visit(io, name) {
  const nsp = io.of(name);
  nsp.adapter.addAll('id', new Set(['id', 'room']));
  nsp.to('room').emit('news', TEXT);
  await nsp.adapter.serverCount();
  nsp.adapter.delAll('id');
  await nsp.adapter.close();
  io._nsps.delete(name);
  return new WeakRef(nsp.adapter);
}

/** Visits several, some at once; resolves once nothing of them is left. */
async function visits(io, from, to) {
  const references = [];
  for (let i = from; i < to; i += ROUND) {
    const names = Array.from({ length: ROUND }, (_, n) => `/chat-${i + n}`);
    references.push(...(await Promise.all(names.map((name) => visit(io, name)))));
  }
  await gone(references);
}

const programs = {
  /** Threads, some at once, that are terminated while messages pour in. */
  async threads({ url, first, all, together }) {
    const io = new Server({ adapter: createAdapter(url, { commandTimeout: PATIENCE }) });
    const stop = flood(io);
    const batches = async (count) => {
      for (let i = 0; i < count; i += together) await Promise.all(Array.from({ length: together }, () => thread(url)));
    };
    await batches(first);
    const early = await holdings();
    await batches(all - first);
    await stop();
    process.send({ early, late: await holdings() });
    await once(process, 'message');
    await io.of('/').adapter.close();
    process.disconnect();
  },

  /** Namespaces on connections that stay. */
  async namespaces({ url, first, all, subscriptionMode }) {
    const io = new Server({ adapter: createAdapter(url, { subscriptionMode }) });
    await io.of('/').adapter.serverCount();
    await visits(io, 0, first);
    const early = await holdings();
    await visits(io, first, all);
    process.send({ early, late: await holdings() });
    await io.of('/').adapter.close();
    process.disconnect();
  },

  /** Servers whose connections end with them. */
  async servers({ url, count }) {
    const references = [];
    const live = async () => {
      const io = new Server({ adapter: createAdapter(url) });
      const { adapter } = io.of('/');
      references.push(new WeakRef(io), new WeakRef(adapter));
      io.emit('news', TEXT);
      await adapter.serverCount();
      await adapter.close();
    };
    for (let i = 0; i < count; i++) await live();
    await gone(references);
    process.send('collected');
    process.disconnect();
  },
};

/** Runs a program. Adapters do not hold the process for long, so that a timer does, as a listening server would. */
async function runProgram(program, settings) {
  const hold = setInterval(() => {}, 1000);
  await programs[program](settings);
  clearInterval(hold);
}

if (!isMainThread && workerData?.url) live(workerData.url);
else runProgram(process.argv[2], JSON.parse(process.argv[3]));
