'use strict';

/**
 * The one file that knows what is inside socket.io, socket.io-adapter and engine.io: where their
 * base class is, how a packet is written to a socket, and how they number packets.
 */

const { createRequire } = require('node:module');
const path = require('node:path');

/** What comes before a packet's JSON: type, attachments. */
const BINARY = /^[56](\d+)-/;
/** A packet that the standard encoder makes a known text of. */
const PROBE = { type: 2, nsp: '/probe', id: 7, data: ['e', { a: [1.5, null, 'é'] }, Uint8Array.of(1)] };
const PROBE_TEXT = '51-/probe,7["e",{"a":[1.5,null,"é"]},{"_placeholder":true,"num":0}]';

/**
 * The `Adapter` of the socket.io-adapter that the application's socket.io depends on.
 * @returns {any}
 * @throws {Error} `ERR_SOCKET_IO_MISSING`
 */
function adapterBase() {
  // The package itself sees it where npm has laid the packages out; the application always does.
  const script = process.argv[1] === undefined ? undefined : path.dirname(process.argv[1]);
  for (const folder of [__dirname, require.main?.path, script, process.cwd()]) {
    if (folder === undefined) continue;
    const Adapter = (tryRequire(folder, 'socket.io') ?? tryRequire(folder))?.Adapter;
    if (typeof Adapter === 'function') return Adapter;
  }
  const message = 'createAdapter needs Socket.IO 4.3.1 or later beside it: npm install socket.io@4';
  throw Object.assign(new Error(message), { code: 'ERR_SOCKET_IO_MISSING' });
}

/** socket.io-adapter as seen from a folder, or from a package that is seen from there. */
function tryRequire(folder, through) {
  try {
    const from = createRequire(path.join(folder, 'index.js'));
    const require = through === undefined ? from : createRequire(from.resolve(through));
    return require('socket.io-adapter');
  } catch {
    return undefined;
  }
}

/**
 * Whether a server encodes packets as Socket.IO text in the standard way, so that the native side
 * may read and write them; with a parser of its own it does not.
 * @param {any} server
 * @returns {boolean}
 */
function encodesText({ opts, encoder }) {
  if (opts?.parser !== undefined || encoder.replacer !== undefined) return false;
  try {
    const [text, ...attachments] = encoder.encode(structuredClone(PROBE));
    return text === PROBE_TEXT && attachments.length === 1;
  } catch {
    return false;
  }
}

/**
 * How a packet is to be written to an engine. An engine asks for the WebSocket frame when it
 * writes to a WebSocket, so that one is made once for all of them, and only when there is one.
 */
class WriteOptions {
  #text;
  #frame;
  /** @type {import('../backplane/inbox').Broadcast | null} */
  #broadcast = null;

  /**
   * @param {{ volatile?: unknown, compress?: unknown }} flags
   * @param {unknown[]} packets what the encoder made of the packet
   */
  constructor({ volatile, compress }, packets) {
    this.preEncoded = true;
    this.volatile = volatile;
    this.compress = compress;
    this.#text = packets.length === 1 && typeof packets[0] === 'string' ? packets[0] : undefined;
  }

  /**
   * Has the frame copied from the batch as long as `write` runs; the batch is much larger than the
   * frame, and a socket may hold these options for long.
   * @param {import('../backplane/inbox').Broadcast} broadcast
   * @param {() => void} write
   */
  whileFrameIsIn(broadcast, write) {
    this.#broadcast = broadcast;
    try {
      write();
    } finally {
      this.#broadcast = null;
    }
  }

  /** For engine.io 6.5 and later. @returns {Buffer[] | undefined} */
  get wsPreEncodedFrame() {
    if (this.#text === undefined) return undefined;
    this.#frame ??= [this.#broadcast ? copyOf(this.#broadcast) : frameOf(this.#text)];
    return this.#frame;
  }

  /** For engine.io before that. @returns {string | undefined} */
  get wsPreEncoded() {
    return this.#text === undefined ? undefined : `4${this.#text}`;
  }
}

/** @param {import('../backplane/inbox').Broadcast} broadcast */
function copyOf({ bytes, frame, end }) {
  const copy = Buffer.allocUnsafe(end - frame);
  bytes.copy(copy, 0, frame, end);
  return copy;
}

/** The WebSocket frame of an Engine.IO message: from a server, whole, text, not compressed. */
function frameOf(text) {
  const length = Buffer.byteLength(text) + 1;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x81;
  frame[1] = head === 2 ? length : head === 4 ? 126 : 127;
  if (head === 4) frame.writeUInt16BE(length, 2);
  if (head === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame[head] = 0x34;
  frame.write(text, head + 1);
  return frame;
}

/**
 * Writes an encoded packet to a socket.
 * @param {any} socket
 * @param {any} packet for the listeners of `onAnyOutgoing`
 * @param {unknown[]} packets what the encoder made of it
 * @param {WriteOptions} options
 */
function writeTo(socket, packet, packets, options) {
  // Since 4.4, and only then.
  if (socket.notifyOutgoingListeners !== undefined) socket.notifyOutgoingListeners(packet);
  socket.client.writeToEngine(packets, options);
}

/**
 * A packet that arrived as text. Its data is decoded when it is read first: listeners of
 * `onAnyOutgoing` read it.
 */
class ReceivedPacket {
  #text;
  #attachments;
  #data;

  /** @param {string} nsp @param {string} text @param {Buffer[]} attachments */
  constructor(nsp, text, attachments) {
    this.nsp = nsp;
    this.#text = text;
    this.#attachments = attachments;
  }

  /** An event is 2 and an acknowledgement 3, with attachments or without. */
  get type() {
    const type = Number(this.#text[0]);
    return type > 4 ? type - 3 : type;
  }

  /** The event's name and arguments. @returns {any} */
  get data() {
    this.#data ??= this.#decode();
    return this.#data;
  }

  #decode() {
    const kind = BINARY.exec(this.#text)?.[0] ?? this.#text[0];
    const nsp = this.nsp === '/' ? '' : `${this.nsp},`;
    const json = this.#text.slice(kind.length + nsp.length).replace(/^\d+/, '');
    if (json === '') return undefined;
    return JSON.parse(json, (_, value) => (value?._placeholder === true ? this.#attachments[value.num] : value));
  }
}

module.exports = { adapterBase, encodesText, ReceivedPacket, WriteOptions, writeTo };
