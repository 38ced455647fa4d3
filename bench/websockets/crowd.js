'use strict';

// Clients, in a process of their own. Each counts what it gets: every message of a kind, once, in order.

const { Arrivals } = require('../arrivals');
const { serve } = require('../ipc');
const { pace } = require('../pace');
const { percentile } = require('../statistics');
const { sequenceOf, SEQUENCE, TIME, timeNow } = require('../timestamp');
const { Client, frameOf, mask } = require('./client');
const { dataOf, KINDS, packetOf, SEQUENCE_AT, TIME_AT } = require('./messages');

const AT_ONCE = 100;
/** ms to wait for what comes once too often. */
const AFTERWARDS = 30;

/** @type {Client[]} */
const clients = [];
const arrivals = new Arrivals();
/** How long messages took in ms, and the highest number, by kind. @type {Map<number, { ages: number[], highest: number }>} */
let kinds = new Map();
/** @type {string[]} */
let mistakes = [];

function take(client, kind, sequence, sent, packet) {
  const age = (Number(process.hrtime.bigint()) - sent) / 1e6;
  let seen = kinds.get(kind);
  if (seen === undefined) kinds.set(kind, (seen = { ages: [], highest: 0 }));
  seen.ages.push(age);
  const expected = (client.last[kind] ?? 0) + 1;
  client.last[kind] = sequence;
  if (sequence !== expected) mistakes.push(`message ${sequence} instead of ${expected}`);
  // One of each that all get is looked at wholly.
  if (sequence > seen.highest) {
    seen.highest = sequence;
    inspect(packet());
  }
  arrivals.arrived();
}

/** Whether a message is what was sent, to the last byte. */
function inspect(packet) {
  const { kind, sequence, sent } = JSON.parse(packet.slice(2))[1];
  if (packet !== packetOf(dataOf(kind, sequence, sent))) mistakes.push(`another message: ${packet}`);
}

/** A frame as each client sends it, but for the number and the time. */
const UP = frameOf(Buffer.from(packetOf(dataOf(KINDS.up, SEQUENCE, TIME))));
/** Where the payload begins in it. */
const PAYLOAD_AT = UP.length - packetOf(dataOf(KINDS.up, SEQUENCE, TIME)).length;

function upNow(number) {
  const frame = Buffer.from(UP);
  for (const [at, text] of [
    [SEQUENCE_AT, sequenceOf(number)],
    [TIME_AT, timeNow()],
  ]) {
    mask(Buffer.from(text), at).copy(frame, PAYLOAD_AT + at);
  }
  return frame;
}

const actions = {
  async connect({ port, count, room }) {
    let next = 0;
    const worker = async () => {
      while (next < count) {
        next += 1;
        const client = new Client({ port, room }, take);
        clients.push(client);
        await client.connected;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return {};
  },

  /**
   * Waits for `count` messages; `patience`: ms after which those that came are all.
   * @returns {Promise<{ received: number, mistake: string, ages: Record<string, any> }>} `ages`: by kind
   */
  async collect({ count, patience }) {
    kinds = new Map();
    mistakes = [];
    for (const client of clients) client.last = {};
    const all = arrivals.expect(count, patience);
    process.send({ ready: true });
    await all;
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS));
    return {
      received: arrivals.received,
      mistake: mistakes.length > 0 ? `${mistakes.length} mistakes, such as ${mistakes[0]}` : '',
      ages: Object.fromEntries(
        [...kinds].map(([kind, { ages }]) => [
          String.fromCharCode(kind),
          { p50: percentile(ages, 0.5), p99: percentile(ages, 0.99), most: percentile(ages, 1) },
        ]),
      ),
    };
  },

  /** The clients in turn send `count` messages in all, `burst` at once and `rate` a second. */
  async send({ count, burst, rate }) {
    await pace(count / burst, rate / burst, (turn) => {
      for (let i = turn * burst; i < (turn + 1) * burst; i += 1) {
        clients[i % clients.length].send(upNow(Math.floor(i / clients.length) + 1));
      }
    });
    return {};
  },
};

serve(actions);
