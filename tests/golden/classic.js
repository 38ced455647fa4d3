'use strict';

// Prints the goldens of the classic adapter's broadcasts, made by the real notepack.io and
// socket.io-parser: node tests/golden/classic.js > tests/golden/classic.json

const path = require('node:path');

const notepack = require('notepack.io');
const { Encoder } = require('socket.io-parser');

// Not among what socket.io-parser exports.
const parserBinary = path.join(path.dirname(require.resolve('socket.io-parser')), 'binary.js');
const { deconstructPacket, reconstructPacket } = require(parserBinary);

const { jsonTexts, values, rawData, rawPayloads } = require('./classic-shapes.js');

const OPTS = { rooms: ['room'], except: [], flags: {} };
const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** What the text means, with the attachments in the places of their placeholders. */
function encoded({ text, attachments = [], data, type = 2, nsp = '/', id, opts = OPTS }) {
  const meant = data || reconstructPacket({ data: JSON.parse(text) }, attachments).data;
  const packet = { type, data: meant, nsp };
  if (id !== undefined) packet.id = id;
  return {
    type,
    nsp,
    id: id === undefined ? null : String(id),
    text,
    attachments: attachments.map(hex),
    opts: JSON.stringify(opts),
    payload: hex(notepack.encode(['sender', packet, JSON.parse(JSON.stringify(opts))])),
  };
}

/** What a server that reads the payload sends to its clients. */
function decoded(payload) {
  const [, packet, opts] = notepack.decode(payload);
  // As the adapter does.
  if (packet.nsp === undefined) packet.nsp = '/';
  const [text, ...attachments] = new Encoder().encode(packet);
  return {
    payload: hex(payload),
    nsp: packet.nsp,
    text,
    attachments: attachments.map(hex),
    rooms: JSON.stringify(opts.rooms || []),
    except: JSON.stringify(opts.except || []),
    volatile: truth(opts.flags, 'volatile'),
    compress: truth(opts.flags, 'compress'),
  };
}

function truth(flags, name) {
  const value = (flags || {})[name];
  return value === undefined || value === null ? null : Boolean(value);
}

function payloadOf({ data, type = 2, nsp = '/', id, opts = OPTS }) {
  const packet = { type, data, nsp };
  if (id !== undefined) packet.id = id;
  return notepack.encode(['sender', packet, opts]);
}

/** A payload around bytes that notepack.io would not write, in an array with a name. */
function around(raw, type = 2) {
  return Buffer.concat([
    Buffer.from([0x93]),
    notepack.encode('sender'),
    Buffer.from([0x83]),
    ...['type', type, 'data'].map((value) => notepack.encode(value)),
    Buffer.from('92a3726177' + raw, 'hex'),
    ...['nsp', '/', OPTS].map((value) => notepack.encode(value)),
  ]);
}

/** The text of the data, and its attachments. */
function textOf({ data, type = 2, nsp = '/', id }) {
  const { packet, buffers } = deconstructPacket({ type, data, nsp, id });
  return { text: JSON.stringify(packet.data), attachments: buffers, type, nsp, id };
}

const throws = (payload) => {
  try {
    notepack.decode(payload);
    return false;
  } catch {
    return true;
  }
};

const plain = values.filter(({ stringified }) => stringified);
const payloads = [
  ...values.map(payloadOf),
  ...rawData.map((raw) => around(raw)),
  ...rawData.map((raw) => around(raw, 4)),
];
for (const raw of rawPayloads) payloads.push(Buffer.from(raw, 'hex'));

console.log(
  JSON.stringify(
    {
      encoded: [...jsonTexts, ...plain.map((value) => ({ ...value, ...textOf(value) }))].map(
        ({ data, stringified, ...rest }) => encoded(stringified ? rest : { data, ...rest }),
      ),
      decoded: payloads.filter((payload) => !throws(payload)).map(decoded),
      malformed: payloads.filter(throws).map(hex),
    },
    null,
    1,
  ),
);
