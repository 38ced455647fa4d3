'use strict';

/**
 * A server in a process of its own, whose memory is measured: `node --expose-gc bounds-program.js program url`.
 * Says what it has found over IPC.
 */

const { once } = require('node:events');
const http = require('node:http');
const { Server } = require('socket.io-4');
const { createAdapter } = require('../../..');
const { stub } = require('./fixture');

const [program, url] = process.argv.slice(2);
const MEBIBYTE = 1024 * 1024;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

function rss() {
  global.gc();
  return process.memoryUsage.rss();
}

const programs = {
  /** Blocks the event loop until as many messages as the parent says have arrived. */
  async mailbox() {
    const io = new Server(http.createServer(), { adapter: createAdapter(url, { mailbox: { bytes: 16 * MEBIBYTE } }) });
    const adapter = io.of('/').adapter;
    const connected = new Promise((resolve) =>
      adapter.on('connect', ({ connection }) => connection === 'sub' && resolve(undefined)),
    );
    await connected;
    stub({ io }, 'stub', ['room'], () => {});
    await new Promise(setImmediate);
    const before = rss();
    process.send('ready');
    const [count] = await once(process, 'message');
    let most = 0;
    while (adapter.stats().received < count) {
      most = Math.max(most, adapter.stats().queues.mailbox.bytes);
      // The event loop is blocked, and does not keep the locks of what arrives.
      Atomics.wait(PAUSE, 0, 0, 1);
    }
    return { most, grown: process.memoryUsage.rss() - before, ...adapter.stats().queues.mailbox };
  },

  /** Emits a million times while Redis is away. */
  async outbox() {
    const adapter = createAdapter(url, {
      offlineQueue: { messages: 2 ** 32 - 1, bytes: 64 * MEBIBYTE },
      commandTimeout: 1,
    });
    const io = new Server(http.createServer(), { adapter });
    io.of('/').adapter.on('error', () => {});
    const emit = (count) => {
      for (let i = 0; i < count; i++) io.to('r').emit('e');
    };
    // What the emitting itself takes, as V8 compiles it.
    emit(10_000);
    const before = rss();
    emit(1_000_000);
    return { grown: rss() - before, ...io.of('/').adapter.stats().queues.publish };
  },
};

// Neither an adapter nor a channel to the parent that is not listened to holds the process.
setInterval(() => {}, 1_000_000);
programs[program]().then((found) => process.send(found, () => process.exit(0)));
