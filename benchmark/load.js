'use strict';

// The load, in a process of its own: a raw RESP publisher, a hundred commands to a write.

const net = require('node:net');
const { once } = require('node:events');

const { serve } = require('./ipc');
const { dispatchOf, ROOM } = require('./messages');

const BURST = 100;

let address;
let socket;
let replies = 0;

/** One command in RESP. */
function pack(...args) {
  const parts = args.map((arg) => Buffer.from(arg));
  const chunks = parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...chunks]);
}

const actions = {
  async start({ port }) {
    address = { port, host: '127.0.0.1' };
    socket = net.connect(address);
    socket.setNoDelay();
    // Every reply is one integer line.
    socket.on('data', (data) => {
      for (const byte of data) replies += byte === 10 ? 1 : 0;
    });
    await once(socket, 'connect');
  },

  /**
   * Publishes `count` times, and `last` once behind them; `rate`: how many a second, in bursts of
   * 10 ms, else as fast as Redis takes them.
   */
  async publish({ channel, payload, count, last, rate }) {
    replies = 0;
    const one = pack('PUBLISH', channel, payload);
    const burst = rate ? Math.max(1, Math.round(rate / 100)) : Math.max(1, Math.min(BURST, Math.floor(4e6 / one.length)));
    const chunk = Buffer.concat(Array(burst).fill(one));
    const start = performance.now();
    let sent = 0;
    while (sent < count) {
      const many = Math.min(burst, count - sent);
      sent += many;
      if (!socket.write(many === burst ? chunk : chunk.subarray(0, many * one.length))) await once(socket, 'drain');
      if (rate) await until(start + (sent / rate) * 1000);
    }
    if (last) socket.write(pack('PUBLISH', channel, last));
    while (replies < count + (last ? 1 : 0)) await once(socket, 'data');
    return { replies };
  },

  /** Publishes `count` packets that bear the time, `rate` a second. */
  async stamped({ count, rate }) {
    const start = performance.now();
    for (let sent = 1; sent <= count; sent += 1) {
      const payload = dispatchOf(`3::${ROOM}:${process.hrtime.bigint()}`);
      socket.write(pack('PUBLISH', 'dispatch', payload));
      await until(start + (sent / rate) * 1000);
    }
    return {};
  },

  /** Counts what arrives on a channel until `count` have. */
  async count({ channel, count }) {
    const subscriber = net.connect(address);
    subscriber.write(pack('SUBSCRIBE', channel));
    // A message is seven lines, a confirmation six; no JSON holds a line feed.
    let lines = 0;
    for await (const data of subscriber) {
      const before = lines;
      for (const byte of data) lines += byte === 10 ? 1 : 0;
      if (before < 6 && lines >= 6) process.send({ ready: true });
      if (lines >= 6 + 7 * count) break;
    }
    return { received: Math.floor((lines - 6) / 7) };
  },
};

function until(time) {
  const wait = time - performance.now();
  return new Promise((resolve) => (wait > 0 ? setTimeout(resolve, wait) : setImmediate(resolve)));
}

serve(actions);
