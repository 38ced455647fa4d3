'use strict';

/** Messages of servers in which one field or several are wrong, in every way that JSON and MessagePack know. */

const notepack = require('notepack.io');

/** Bytes of a value in one of the two, that no encoder would make. @typedef {{ json?: string, pack?: Buffer }} Raw */

/** Stands in the place of raw bytes until the message is encoded. */
const MARK = 'raw-bytes-stand-here';
const MARK_PACKED = notepack.encode(MARK);
const MARK_TEXT = JSON.stringify(MARK);

/** What is put in the place of a field. @typedef {{ title: string, value?: any, missing?: boolean, raw?: Raw, isLong?: boolean }} Wrong */

/** @param {number} depth */
function nested(depth) {
  const pack = Buffer.alloc(depth + 1, 0x91);
  pack[depth] = 0xc0;
  return { json: '['.repeat(depth) + ']'.repeat(depth), pack };
}

/** Objects that cannot be text; with MessagePack, `__proto__` is the prototype. */
const MUTE = { toString: null, valueOf: null };
const WITHOUT_PROTOTYPE = JSON.parse('{"__proto__":null}');
const OTHER_PROTOTYPE = JSON.parse('{"__proto__":{"length":1e9,"rooms":["all"],"type":2}}');

/** @type {Wrong[]} */
const WRONG = [
  { title: 'missing', missing: true },
  ...[null, undefined, true, false, 0, -0, 7, -1, 1.5, 1e308, 2 ** 53, NaN, Infinity, -Infinity].map(plain),
  ...['', 'x', '2', '/', '\ud800', 'x\udc00\ud800', '\0', '__proto__', 'constructor', 'toString', 'length'].map(plain),
  ...['error', 'connect', 'connection', 'disconnect', 'disconnecting', 'new_namespace', 'newListener'].map(plain),
  ...[[], {}, [null], [[]], [[], []], [{}], ['x'], ['error', null], ['connection', null], [MUTE], { a: 1 }].map(plain),
  ...[MUTE, WITHOUT_PROTOTYPE, OTHER_PROTOTYPE, { length: 1e9 }, { size: 1 }, { toJSON: 1 }, { then: 1 }].map(plain),
  ...[Buffer.from('bytes'), new Date(NaN), new Date(0), { _placeholder: true, num: 9 }].map(plain),
  { title: 'a length of 4 GiB', raw: { pack: Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]) } },
  { title: 'a length of 32 Mi', raw: { pack: Buffer.from([0xdd, 0x01, 0xff, 0xff, 0xff]) } },
  { title: 'an ArrayBuffer of 4 GiB', raw: { pack: Buffer.from([0xc9, 0xff, 0xff, 0xff, 0xff, 0x00]) } },
  { title: 'a long timestamp', raw: { pack: Buffer.from([0xc7, 0x14, 0xff, ...Buffer.alloc(20, 0xdd)]) } },
  { title: 'an unknown extension', raw: { pack: Buffer.from([0xd4, 0x2a, 0x01]) } },
  { title: 'undefined as an extension', raw: { pack: Buffer.from([0xd4, 0x00, 0x00]) } },
  { title: 'a key that is an object', raw: { pack: Buffer.from([0x81, 0x80, 0x01]) } },
  { title: 'a key that is bytes', raw: { pack: Buffer.from([0x81, 0xc4, 0x01, 0x41, 0x01]) } },
  { title: 'a number that is too large', raw: { json: '1e999' } },
  { title: 'two of a key', raw: { json: '{"rooms":1,"rooms":[],"toString":1}' } },
  { title: '600 levels', raw: nested(600) },
  { title: '30,000 levels', raw: nested(30_000), isLong: true },
  { title: 'a long text', value: 'x'.repeat(5000), isLong: true },
  { title: '20,000 items', value: Array(20_000).fill(0), isLong: true },
  { title: '2,000 binary parts', value: Array(2000).fill(Buffer.alloc(0)), isLong: true },
];

/** @returns {Wrong} */
function plain(value) {
  return { title: typeof value, value };
}

const packet = { type: 2, data: ['evil', 1, { a: [Buffer.from('x')] }], nsp: '/' };
const opts = { rooms: ['here', 'there'], except: ['elsewhere'], flags: { volatile: false, compress: true } };
const handshake = { headers: { host: 'x' }, time: 'now', address: '::1', query: { EIO: '4' }, auth: {} };
const head = { uid: 'peer', requestId: 'request' };

/** Valid requests. */
const REQUESTS = [
  { ...head, type: 0, rooms: ['here'] },
  { ...head, type: 1 },
  ...[2, 3].flatMap((type) => [
    { ...head, type, opts, rooms: ['joined', 5] },
    { ...head, type, sid: 'socket', room: 'joined' },
  ]),
  { ...head, type: 4, opts: { ...opts, rooms: ['nobody'] }, close: true },
  { ...head, type: 4, sid: 'nobody', close: false },
  { ...head, type: 5, opts },
  { uid: 'peer', type: 6, data: ['evil', 1, { a: [] }] },
  { ...head, type: 6, data: ['evil', 1, { a: [] }] },
  { ...head, type: 7, packet, opts },
  { ...head, type: 'count', opts },
  { ...head, type: 'ids', opts },
];

/** Valid responses to a request. @param {string} requestId */
function responsesTo(requestId) {
  const head = { requestId, uid: 'peer' };
  return [
    { ...head, type: 8, clientCount: 1 },
    { ...head, type: 9, packet: ['answer'] },
    { ...head, type: 6, data: { a: ['answer'] } },
    { ...head, rooms: ['one', 2] },
    { ...head, sockets: ['id', 'other'] },
    { ...head, sockets: [{ id: 'id', handshake, rooms: ['id', 'one'], data: { a: [1] } }] },
    { ...head, count: 1 },
  ];
}

const BROADCAST = ['peer', packet, opts];

/**
 * The places of all fields of a message.
 * @param {any} value
 * @returns {(string | number)[][]}
 */
function placesIn(value, place = /** @type {(string | number)[]} */ ([])) {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return [place];
  const inner = Object.keys(value).flatMap((key) => placesIn(value[key], [...place, key]));
  return place.length === 0 ? inner : [place, ...inner];
}

/** A copy of a message with something wrong in one place. @param {Wrong} wrong */
function withWrong(message, place, wrong) {
  const [key, ...rest] = place;
  const copy = Array.isArray(message) ? [...message] : { ...message };
  if (rest.length > 0) copy[key] = withWrong(copy[key] ?? {}, rest, wrong);
  else if (!wrong.missing) copy[key] = wrong.raw ? MARK : wrong.value;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

/**
 * The bytes of a message, with raw bytes in their places.
 * @param {any} message
 * @param {Raw} [raw]
 * @returns {Buffer[]} as JSON and as MessagePack, as far as both know it
 */
function encodings(message, raw) {
  const json = JSON.stringify(message);
  const pack = notepack.encode(message);
  if (raw === undefined) return [Buffer.from(json), pack];
  const replaced = [];
  if (raw.json) replaced.push(Buffer.from(json.replace(MARK_TEXT, raw.json)));
  if (raw.pack) {
    const at = pack.indexOf(MARK_PACKED);
    replaced.push(Buffer.concat([pack.subarray(0, at), raw.pack, pack.subarray(at + MARK_PACKED.length)]));
  }
  return replaced;
}

/** Each message with each field wrong in each way. @param {any[]} messages @returns {Generator<Buffer>} */
function* oneAtATime(messages) {
  for (const message of messages) {
    for (const place of placesIn(message)) {
      for (const wrong of WRONG) yield* encodings(withWrong(message, place, wrong), wrong.raw);
    }
  }
}

/**
 * Messages with several fields wrong, without an end; long values are rare.
 * @param {any[]} messages
 * @param {InstanceType<typeof import('../differential/random').Random>} random
 * @returns {Generator<Buffer>}
 */
function* atRandom(messages, random) {
  const places = messages.map((message) => placesIn(message));
  for (;;) {
    const which = random.below(messages.length);
    let message = messages[which];
    /** @type {Raw | undefined} */
    let raw;
    for (let count = 1 + random.below(3); count > 0; count--) {
      const wrong = random.pick(WRONG);
      if ((wrong.raw && raw) || (wrong.isLong && !random.chance(0.03))) continue;
      raw ??= wrong.raw;
      const place = random.pick(places[which]);
      if (isThere(message, place)) message = withWrong(message, place, wrong);
    }
    yield* encodings(message, isMarked(message) ? raw : undefined);
  }
}

/** Whether a place is still in a message. */
function isThere(message, place) {
  let value = message;
  for (const key of place) {
    if (typeof value !== 'object' || value === null) return false;
    value = value[key];
  }
  return true;
}

function isMarked(message) {
  return JSON.stringify(message).includes(MARK_TEXT);
}

module.exports = { BROADCAST, REQUESTS, atRandom, oneAtATime, responsesTo };
