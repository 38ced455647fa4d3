'use strict';

// Writes the .json files next to it: what the real RedisStore of socket.io@0.9 puts on Redis, and
// what it makes of payloads that it receives. Run it again after a change: `node make.js`.

const assert = require('node:assert');
const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const msgpack = require('@msgpack/msgpack');
const RealStore = require('socket.io/lib/stores/redis');
const shapes = require('./shapes');

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const bits = (number) => {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(number);
  return hex(buffer);
};

// The module `msgpack` as its C++ does it: Buffers come out, and toJSON goes in.
const messagePack = {
  pack: (value) => Buffer.from(msgpack.encode(JSON.parse(JSON.stringify(value)), { maxDepth: 512 })),
  unpack: (bytes) => buffers(msgpack.decode(bytes)),
};

function buffers(value) {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(buffers);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, buffers(inner)]));
}

/** The client of `redis` that RedisStore sees: it keeps what is published, and delivers by hand. */
class RedisClient extends EventEmitter {
  published = [];
  publish(channel, payload) {
    this.published.push({ channel, payload });
  }
  subscribe(channel) {
    this.emit('subscribe', channel);
  }
  end() {}
}

function realStore(nodeId, codec = {}) {
  const redis = { RedisClient, createClient: () => new RedisClient() };
  const store = new RealStore({ nodeId: () => nodeId, redis, ...codec });
  if (!codec.pack) assert.strictEqual(store.pack, JSON.stringify, 'the module msgpack is in the way');
  return store;
}

/** What the payload does to a store: { own }, { args } as JSON text, or { throws }. */
function received(nodeId, payload, codec) {
  const store = realStore(nodeId, codec);
  let outcome = { own: true };
  // A client of Redis without `return_buffers` hands over text.
  const message = codec ? payload : payload.toString();
  store.sub.subscribe = () => {};
  store.subscribe('any', (...args) => {
    outcome = { args: JSON.stringify(args) };
  });
  store.sub.emit('subscribe', 'any');
  try {
    store.sub.emit('message', 'any', message);
  } catch {
    outcome = { throws: true };
  }
  return outcome;
}

/** Each message, published by a real store, then received by its own and by another node. */
function published(codec) {
  const messages = codec ? shapes.messages : [...shapes.messages, ...shapes.halfSurrogates];
  return messages.map(({ channel, args, nodeId = 1357 }) => {
    const store = realStore(nodeId, codec);
    store.publish(channel, ...args);
    const payload = Buffer.from(store.pub.published[0].payload);
    return {
      channel,
      nodeId: JSON.stringify(nodeId),
      argsJson: JSON.stringify(args),
      payload: hex(payload),
      own: received(nodeId, payload, codec),
      foreign: received(2468, payload, codec),
    };
  });
}

function handWritten(payloads, codec) {
  return payloads.map((payload) => {
    const bytes = Buffer.from(payload);
    return { payload: hex(bytes), ...received(1, bytes, codec) };
  });
}

function looseEquality() {
  const { operands } = shapes;
  const encoded = operands.map((value) => (typeof value === 'number' ? { number: bits(value) } : { string: value }));
  return {
    operands: encoded,
    // One row of 0 and 1 for each operand, from JavaScript itself.
    // eslint-disable-next-line eqeqeq
    rows: operands.map((a) => operands.map((b) => (a == b ? '1' : '0')).join('')),
    numbers: operands.filter((v) => typeof v === 'string').map((v) => [v, bits(Number(v))]),
  };
}

function write(name, value) {
  fs.writeFileSync(path.join(__dirname, name), `${JSON.stringify(value, null, 1)}\n`);
}

write('json.json', {
  published: published(),
  handWritten: handWritten(shapes.handWrittenJson),
});
write('msgpack.json', {
  published: published(messagePack),
  handWritten: handWritten(shapes.handWrittenMessagePack, messagePack),
});
write(
  'numbers.json',
  shapes.numbers.map((number) => [bits(number), JSON.stringify(number)]),
);
write('loose_equality.json', looseEquality());
