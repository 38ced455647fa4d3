'use strict';

const net = require('node:net');
const { once } = require('node:events');
const notepack = require('notepack.io');

const { encodeCommand } = require('../../dev/resp');

/** How many are written at once. */
const BURST = 1000;
/** The channels that both sides listen to. */
const CHANNELS = ['ours', 'official'].flatMap((key) => [`${key}#/#`, `${key}#/#all#`, `${key}-request#/#`]);

/** What nodes do send, before it is spoilt. */
const VALID = [
  notepack.encode([
    'somebody',
    { type: 2, data: ['message', 'text'], nsp: '/' },
    { rooms: ['all'], except: [], flags: {} },
  ]),
  Buffer.from(
    JSON.stringify({ uid: 'somebody', requestId: 'x', type: 2, opts: { rooms: ['all'], except: [] }, rooms: [1] }),
  ),
];

/** What is wrong with a payload. @type {((random: any) => Buffer)[]} */
const SPOILT = [
  (random) => Buffer.from(Array.from({ length: random.between(0, 64) }, () => random.between(0, 256))),
  (random) => cut(random.of(VALID), random),
  (random) => flipped(random.of(VALID), random),
  () => notepack.encode([null, null, null]),
  () => notepack.encode({ type: 2, nsp: '/' }),
  () => notepack.encode(['somebody', { type: 2, data: 7, nsp: '/' }, { rooms: 'all' }]),
  () => Buffer.alloc(2000, 0x91), // arrays in arrays
  () => Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]), // an array of 4 billion
  () => Buffer.from('['.repeat(2000)),
  () => Buffer.from('{"type":"__proto__","opts":null,"rooms":{"length":1e9}}'),
  () => Buffer.from('{"uid":1,"type":3,"requestId":{},"opts":[]}'),
];

function cut(bytes, random) {
  return bytes.subarray(0, random.between(0, bytes.length));
}

function flipped(bytes, random) {
  const copy = Buffer.from(bytes);
  copy[random.between(0, copy.length)] ^= 1 << random.between(0, 8);
  return copy;
}

/**
 * Publishes what no node sends to the channels of all nodes.
 * @param {number} port
 * @param {number} count
 * @param {{ between(from: number, to: number): number, of<T>(list: T[]): T }} random
 */
async function publishMalformed(port, count, random) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (let left = count; left > 0; left -= BURST) {
    const burst = Array.from({ length: Math.min(BURST, left) }, () =>
      encodeCommand('PUBLISH', random.of(CHANNELS), random.of(SPOILT)(random)),
    );
    socket.write(Buffer.concat(burst));
    await answers(socket, burst.length);
  }
  socket.destroy();
}

/** Waits for so many answers, each a line. */
function answers(socket, count) {
  return new Promise((resolve, reject) => {
    const take = (chunk) => {
      for (const byte of chunk) if (byte === 10) count -= 1;
      if (count > 0) return;
      socket.off('data', take).off('close', reject);
      resolve(undefined);
    };
    socket.on('data', take).on('close', reject);
  });
}

module.exports = { publishMalformed };
