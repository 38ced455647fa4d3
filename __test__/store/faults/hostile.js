'use strict';

/** Messages of 0.9's channels that are wrong in every way, one field at a time and at random. */

const CLIENTS = ['1001', '1002', '1003'];
const ROOMS = ['/a', '/b'];
const HANDSHAKE = { headers: { cookie: 'x' }, address: { address: '::1', port: 1 }, time: 't', query: {}, issued: 1 };
/** Packets as 0.9's own parser makes them. */
const PACKETS = [
  { type: 'event', name: 'ask', args: [1], endpoint: '', id: '7', ack: 'data' },
  { type: 'ack', ackId: '7', args: [1], endpoint: '' },
  { type: 'connect', endpoint: '', qs: '' },
  { type: 'disconnect', endpoint: '/none' },
  { type: 'message', data: 'x', endpoint: '', id: '8', ack: true },
  { type: 'json', data: {}, endpoint: '' },
  {},
];

/** What servers send. @type {{ channel: string, args: any[] }[]} */
const MESSAGES = [
  { channel: 'handshake', args: [CLIENTS[0], HANDSHAKE] },
  ...['connect', 'open', 'close', 'disconnect', 'heartbeat-clear', 'disconnect-force'].map((channel) => ({
    channel,
    args: [CLIENTS[0]],
  })),
  { channel: 'disconnect-remote', args: [CLIENTS[1], 'socket end'] },
  { channel: 'join', args: [CLIENTS[0], ROOMS[0]] },
  { channel: 'leave', args: [CLIENTS[0], ROOMS[0]] },
  { channel: 'dispatch', args: [ROOMS[0], '5:::{}', false, [CLIENTS[0]]] },
  { channel: 'dispatch-remote', args: [CLIENTS[0], '5:::{}', false] },
  ...PACKETS.map((packet) => ({ channel: 'message-remote', args: [CLIENTS[0], packet] })),
];

const MISSING = Symbol('missing');

function nested(depth) {
  /** @type {any} */
  let value = [];
  for (let i = 1; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

/** Names that mean something to every object, and other texts. */
const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'length',
  'apply',
  'error',
];
const TEXTS = ['', 'x', '\0', 'é漢😀', '\ud800', 'a\udc00b'];
const SMALL = [
  MISSING,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  ...NAMES,
  ...TEXTS,
  [],
  [null],
  [[]],
  {},
  { toString: 1 },
  { toString: null, valueOf: {} },
  { length: 4_000_000_000 },
  { then: 1, constructor: {} },
  JSON.parse('{"__proto__":{"polluted":true}}'),
  { type: 'event' },
];
/** Not at random, since they take time. */
const LARGE = ['x'.repeat(100_000), nested(400), nested(600), Array(20_000).fill(null), Array(9000).fill('y')];

/** Ids that a server might use, of those above. */
const USED = [
  ...CLIENTS,
  'y',
  ...[...SMALL, ...LARGE].filter((value) => ['string', 'number'].includes(typeof value)).map(String),
];

/** Every place in a message. @returns {(string | number)[][]} */
function placesIn(value, path = []) {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.keys(value).flatMap((key) => placesIn(value[key], [...path, key]))];
}

/** A copy with another value in one place. */
function withValue(whole, [first, ...rest], value) {
  const copy = Array.isArray(whole) ? [...whole] : { ...whole };
  if (first === undefined) return value;
  if (rest.length > 0) copy[first] = withValue(whole[first], rest, value);
  else if (value === MISSING) delete copy[first];
  else copy[first] = value;
  // A hole is null in both codecs.
  return Array.isArray(copy) ? Array.from(copy, (each) => (each === undefined ? null : each)) : copy;
}

/** @param {{ args: any[] }} message */
function envelope({ args }) {
  return { nodeId: 'raw', args };
}

/** One place at a time, in every way. */
function* mutants() {
  for (const { channel, ...message } of MESSAGES) {
    const whole = envelope(message);
    for (const place of placesIn(whole)) {
      for (const value of [...SMALL, ...LARGE]) {
        if (place.length === 0 && value === MISSING) continue;
        yield { channel, message: withValue(whole, place, value) };
      }
    }
  }
}

/** Numbers that look random and are the same each time. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** One to three places at a time, beside what is right. @param {number} count */
function* randomMutants(count) {
  const next = numbers(11);
  for (let i = 0; i < count; i++) {
    const { channel, ...message } = MESSAGES[next(MESSAGES.length)];
    /** @type {any} */
    let whole = envelope(message);
    if (next(4) > 0) whole.args = [CLIENTS[next(CLIENTS.length)], ...whole.args.slice(1)];
    for (let wrong = next(4); wrong > 0; wrong--) {
      const places = placesIn(whole).slice(1);
      whole = withValue(whole, places[next(places.length)] ?? ['args'], SMALL[next(SMALL.length)]);
    }
    yield { channel, message: whole };
  }
}

module.exports = { mutants, randomMutants, USED };
