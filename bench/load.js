'use strict';

// The load, in a process of its own: a raw RESP publisher, a hundred commands to a write.

const net = require('node:net');
const { once } = require('node:events');

const { countLines, encodeCommand, replies } = require('../dev/resp');
const { serve } = require('./ipc');
const { pace } = require('./pace');
const { percentile } = require('./statistics');
const { SEQUENCE, sequenceOf, TIME, timeNow } = require('./timestamp');

const BURST = 100;
/** Another message comes once for this many; a multiple of a burst. */
const AMONG = 1000;
/** ms without any message, after which those that came are all. */
const PATIENCE = 20_000;

/** The time in a payload. */
const STAMP = new RegExp(`\\d{${TIME.length}}`);

let address;
let socket;
let answered = 0;

const actions = {
  async start({ port }) {
    address = { port, host: '127.0.0.1' };
    socket = net.connect(address);
    socket.setNoDelay();
    // Every reply is one integer line.
    socket.on('data', (data) => {
      answered += countLines(data);
    });
    await once(socket, 'connect');
  },

  /**
   * Publishes `count` times, and `last` (a channel and a payload) once behind them, as fast as
   * Redis takes them, by `PUBLISH` unless said. `among`: what is published once for each thousand of them, not counted.
   */
  async publish({ command = 'PUBLISH', channel, payload, count, last, among }) {
    answered = 0;
    const one = encodeCommand(command, channel, payload);
    const burst = Math.max(1, Math.min(BURST, Math.floor(4e6 / one.length)));
    const chunk = Buffer.concat(Array(burst).fill(one));
    const other = among ? encodeCommand('PUBLISH', among.channel, among.payload) : Buffer.alloc(0);
    let others = 0;
    for (let sent = 0; sent < count;) {
      const many = Math.min(burst, count - sent);
      if (among && sent % AMONG === 0) {
        others += 1;
        socket.write(other);
      }
      sent += many;
      if (!socket.write(many === burst ? chunk : chunk.subarray(0, many * one.length))) await once(socket, 'drain');
    }
    if (last) socket.write(encodeCommand(command, last.channel, last.payload));
    while (answered < count + others + (last ? 1 : 0)) await once(socket, 'data');
    return {};
  },

  /**
   * Publishes `count` times, `rate` a second; the time stands where the payload has `TIME`, and the number where
   * it has `SEQUENCE`, if it has.
   */
  async stamped({ channel, payload, count, rate }) {
    const command = encodeCommand('PUBLISH', channel, payload);
    const at = command.indexOf(TIME);
    const numberAt = command.subarray(0, at).indexOf(SEQUENCE);
    await pace(count, rate, (index) => {
      const one = Buffer.from(command);
      if (numberAt >= 0) one.latin1Write(sequenceOf(index + 1), numberAt);
      one.latin1Write(timeNow(), at);
      socket.write(one);
    });
    return {};
  },

  /** Does what `stamped` does for several messages at the same time. */
  async several({ several }) {
    await Promise.all(several.map(actions.stamped));
    return {};
  },

  /**
   * Counts what arrives until `count` messages have, `chunk` at a time.
   * @param {object} args
   * @param {string[]} args.subscribe the command
   * @param {number} args.count
   * @param {number} [args.chunk]
   * @param {{ channel: string, payload: Buffer }} [args.last] published behind each chunk; what
   *   arrives before the last of them counts too
   * @returns {Promise<{ received: number, first: Buffer[], last: Buffer[] }>} `first`, `last`:
   *   channel and payload of those messages
   */
  async count({ subscribe, count, chunk = count, last: end }) {
    const subscriber = net.connect(address);
    const finish = () => (end ? socket.write(encodeCommand('PUBLISH', end.channel, end.payload)) : subscriber.end());
    const timer = setTimeout(finish, PATIENCE);
    subscriber.write(encodeCommand(...subscribe));
    let received = 0;
    let chunks = Math.ceil(count / chunk);
    let first;
    let last;
    for await (const reply of replies(subscriber)) {
      const [channel, payload] = reply.slice(-2);
      if (!reply[0].includes('message')) {
        process.send({ ready: true });
      } else if (channel.equals(Buffer.from(end?.channel ?? ''))) {
        chunks -= 1;
        if (chunks === 0) break;
      } else {
        received += 1;
        last = [channel, payload];
        first ??= last.map((bytes) => Buffer.from(bytes));
        timer.refresh();
        if (received === count || received % chunk === 0) finish();
      }
    }
    clearTimeout(timer);
    return { received, first, last };
  },

  /**
   * Sees how long ago each of `count` messages was sent, which have the time in their payload.
   * @param {{ subscribe: string[], count: number }} args `subscribe`: the command
   * @returns {Promise<{ received: number, p50: number, p99: number }>} in ms
   */
  async delays({ subscribe, count }) {
    const subscriber = net.connect(address);
    const timer = setTimeout(() => subscriber.end(), PATIENCE);
    subscriber.write(encodeCommand(...subscribe));
    const delays = [];
    for await (const reply of replies(subscriber)) {
      const now = process.hrtime.bigint();
      const [payload] = reply.slice(-1);
      if (!reply[0].includes('message')) process.send({ ready: true });
      else delays.push(Number(now - BigInt(STAMP.exec(payload.toString('latin1'))[0])) / 1e6);
      if (delays.length === count) break;
    }
    clearTimeout(timer);
    return { received: delays.length, p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
  },
};

serve(actions);
