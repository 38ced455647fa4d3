'use strict';

// The load, in a process of its own: a raw RESP publisher, a hundred commands to a write.

const net = require('node:net');
const { once } = require('node:events');

const { countLines, encodeCommand, replies, toText } = require('../dev/resp');
const { STRANGER } = require('./adapter-messages');
const { serve } = require('./ipc');
const { pace } = require('./pace');
const { percentile } = require('./statistics');
const { SEQUENCE, sequenceOf, STAMP, TIME, timeNow } = require('./timestamp');

const BURST = 100;
/** How many entries of a stream are read at once. */
const CHUNK = 1000;
/** Another message comes once for this many; a multiple of a burst. */
const AMONG = 1000;
/** ms without any message, after which those that came are all. */
const PATIENCE = 20_000;

let address;
let socket;
let answered = 0;

/** The command that sends a message. */
function encode({ command = 'PUBLISH', channel, args = [channel], payload }) {
  return encodeCommand(command, ...args, payload);
}

const actions = {
  async start({ port }) {
    address = { port, host: '127.0.0.1' };
    socket = net.connect(address);
    socket.setNoDelay();
    // Every reply is one line with a number, or two with an entry's id.
    socket.on('data', (data) => {
      answered += countLines(data);
    });
    await once(socket, 'connect');
  },

  /**
   * Publishes `count` times, and `last` (another message) once behind them, as fast as Redis takes them, by
   * `PUBLISH` unless said. `among`: what is published once for each thousand of them, not counted.
   */
  async publish({ count, last, among, ...message }) {
    answered = 0;
    const lines = message.command === 'XADD' ? 2 : 1;
    const one = encode(message);
    const burst = Math.max(1, Math.min(BURST, Math.floor(4e6 / one.length)));
    const chunk = Buffer.concat(Array(burst).fill(one));
    const other = among ? encode(among) : Buffer.alloc(0);
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
    if (last) socket.write(encode(last));
    while (answered < (count + (last ? 1 : 0)) * lines + others) await once(socket, 'data');
    return {};
  },

  /**
   * Publishes `count` times, `rate` a second; the time stands where the payload has `TIME`, and the number where
   * it has `SEQUENCE`, if it has.
   */
  async stamped({ count, rate, ...message }) {
    const command = encode(message);
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
    const finish = () => (end ? socket.write(encode(end)) : subscriber.end());
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
   * The same with the entries that are added to a stream.
   * @param {{ stream: string, count: number, chunk: number, last: any, told?: any }} args `last`: added behind each chunk,
   *   and `told` published for those that do not read
   * @returns {Promise<{ received: number, first: any, last: any }>} `first`, `last`: the fields of those entries
   */
  async countEntries({ stream, count, chunk, last: end, told }) {
    const ending = Buffer.concat([end, told].filter(Boolean).map(encode));
    const reader = net.connect(address);
    let chunks = Math.ceil(count / chunk);
    let received = 0;
    let first;
    let last;
    const onReady = () => process.send({ ready: true });
    for await (const { uid, ...entry } of entriesOf(reader, stream, onReady)) {
      if (uid === STRANGER) {
        chunks -= 1;
        if (chunks === 0) break;
        continue;
      }
      received += 1;
      last = entry;
      first ??= entry;
      if (received === count || received % chunk === 0) socket.write(ending);
    }
    reader.destroy();
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

/** The entries that are added to a stream, as objects of their fields, until none comes any more. */
async function* entriesOf(reader, stream, onReady) {
  const answers = replies(reader);
  const ask = async (...command) => {
    reader.write(encodeCommand(...command));
    return toText((await answers.next()).value);
  };
  let [[id] = ['0-0']] = await ask('XREVRANGE', stream, '+', '-', 'COUNT', 1);
  onReady();
  for (;;) {
    const read = await ask('XREAD', 'COUNT', CHUNK, 'BLOCK', PATIENCE, 'STREAMS', stream, id);
    if (read === null) return;
    for (const [next, fields] of read[0][1]) {
      id = next;
      yield Object.fromEntries(fields.flatMap((name, at) => (at % 2 === 0 ? [[name, fields[at + 1]]] : [])));
    }
  }
}

serve(actions);
