'use strict';

/**
 * The one file that knows what is inside socket.io, socket.io-adapter, socket.io-parser and engine.io:
 * where their base class is, what their versions have, how a packet is written to a socket, and how they
 * number packets.
 */

const { folders, requireFrom } = require('../on-disk');
const { clearTimeout, setTimeout } = require('../timers');

/** What comes before a packet's JSON: type, attachments. */
const BINARY = /^[56](\d+)-/;
/** A packet that the standard encoder makes a known text of. */
const PROBE = { type: 2, nsp: '/probe', id: 7, data: ['e', { a: [1.5, null, 'é'] }, Uint8Array.of(1)] };
const PROBE_TEXT = '51-/probe,7["e",{"a":[1.5,null,"é"]},{"_placeholder":true,"num":0}]';

/** @type {any} nothing before there is a server */
let base;

/**
 * Has adapters stand on the base class that this server's own copy of socket.io has required, wherever that
 * is: it may be inside a bundle. The first server counts for the process.
 * @param {any} server of a namespace
 */
function useBaseOf(server) {
  base ??= defaultAdapterOf(server);
}

/** The class of adapters that a server has unless it is given another. @returns {any} nothing where there is none */
function defaultAdapterOf(server) {
  /** @type {any} */
  let Server;
  // That of socket.io itself: the constructor of a subclass may do anything.
  for (let each = Object(server); each !== null; each = Object.getPrototypeOf(each)) {
    if (Object.hasOwn(each, 'adapter') && Object.hasOwn(each, 'constructor')) Server = each.constructor;
  }
  try {
    // Without arguments it opens nothing, and is garbage at once.
    const Adapter = new Server().adapter();
    return isBase(Adapter) ? Adapter : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is a base class that is new enough: Socket.IO 3 and before have no such method. */
function isBase(value) {
  return typeof value?.prototype?.serverSideEmit === 'function';
}

/**
 * The `Adapter` of the socket.io-adapter that the application's socket.io depends on.
 * @returns {any}
 * @throws {Error} `ERR_SOCKET_IO_MISSING`
 */
function adapterBase() {
  if (base !== undefined) return base;
  for (const folder of folders()) {
    const Adapter = (requireFrom(folder, 'socket.io-adapter', 'socket.io') ?? requireFrom(folder, 'socket.io-adapter'))
      ?.Adapter;
    if (isBase(Adapter)) return Adapter;
  }
  const message = 'createAdapter needs Socket.IO 4.3.1 or later beside it: npm install socket.io@4';
  throw Object.assign(new Error(message), { code: 'ERR_SOCKET_IO_MISSING' });
}

/**
 * Whether a method of the base class is its own, and not what has been put in its place: uWebSockets.js
 * servers (`io.attachApp`) do so. A method of a class has no prototype, a function has.
 * @param {Function} method
 */
function isPristine(method) {
  return method.prototype === undefined;
}

/**
 * What a server listens with: another object each time that it begins to listen.
 * @param {any} server
 * @returns {unknown}
 */
function engineOf(server) {
  return server.engine;
}

/**
 * What a version of Socket.IO has and others have not. `true` stands for the versions named.
 *
 * |                            | since | until | seen by                                            |
 * |----------------------------|-------|-------|----------------------------------------------------|
 * | `broadcastWithAck`         | 4.5   |       | the base class has it; see {@link collectAcks}     |
 * | `asksAllForIds`            |       | 4.5   | the base class has no `restoreSession`             |
 * | `encodesInPlace`           |       | 4.5   | what socket.io-parser before 4.2.2 does to a probe |
 * | `notifyOutgoingListeners`  | 4.4   |       | a socket has it; see {@link writeTo}               |
 * | `wsPreEncodedFrame`        | 4.7   |       | the engine reads it; see {@link WriteOptions}      |
 *
 * @typedef {object} Features
 * @property {boolean} asksAllForIds whether `io.allSockets()` is about all servers, as with the adapters
 *   that were made for these versions, up to 7.2; later ones answer for one server
 * @property {boolean} encodesInPlace whether the encoder changes the packet that it is given
 */

/**
 * @param {any} adapter of a namespace
 * @param {Function | undefined} restoreSession the base class's
 * @returns {Features}
 */
function featuresOf(adapter, restoreSession) {
  return {
    asksAllForIds: restoreSession === undefined,
    encodesInPlace: encodesInPlace(adapter.encoder),
  };
}

function encodesInPlace(encoder) {
  const probe = structuredClone(PROBE);
  const before = { ...probe };
  try {
    encoder.encode(probe);
  } catch {
    return true;
  }
  return Object.keys(probe).some((field) => probe[field] !== before[field]);
}

/**
 * Sends a packet to sockets here and collects their acknowledgements. Those that have not come when the
 * time is up are forgotten: the base class would keep them as long as the socket lives.
 * @param {any} adapter of the namespace
 * @param {Function | undefined} broadcast the base class's `broadcastWithAck`; without it, no socket gets the packet
 * @param {any} packet
 * @param {any} opts
 * @param {{ timeout: number, count: Function, ack: Function }} acks `timeout` in ms
 */
function collectAcks(adapter, broadcast, packet, opts, { timeout, count, ack }) {
  if (broadcast === undefined) return void count(0);
  let missing = 0;
  const timer = setTimeout(() => forgetAcks(adapter.nsp, packet.id), timeout);
  timer.unref();
  const answered = (/** @type {any[]} */ ...args) => {
    if (--missing === 0) clearTimeout(timer);
    ack(...args);
  };
  broadcast.call(
    adapter,
    packet,
    opts,
    (/** @type {number} */ clients) => {
      missing = clients;
      count(clients);
    },
    answered,
  );
  if (missing <= 0) clearTimeout(timer);
}

/** Acknowledgements are numbered for the whole namespace. */
function forgetAcks(nsp, id) {
  for (const socket of nsp.sockets.values()) socket.acks?.delete(id);
}

/**
 * A socket of this server.
 * @param {any} nsp
 * @param {unknown} id
 */
function socketOf(nsp, id) {
  return nsp.sockets.get(id);
}

/**
 * Has the listeners of this server hear an event of another one.
 * @param {any} nsp
 * @param {any[]} args the event's name and arguments
 */
function emitHere(nsp, args) {
  nsp._onServerSideEmit(args);
}

/**
 * Calls back with each socket of this server that a filter is for, once.
 * @param {any} adapter of the namespace
 * @param {{ rooms: Set<unknown>, except?: Set<unknown> }} filter
 * @param {(socket: any) => void} callback
 */
function forEachSocket(adapter, filter, callback) {
  adapter.apply(filter, callback);
}

/**
 * The sockets of this server that a filter is for, each once.
 * @param {any} adapter of the namespace
 * @param {{ rooms: Set<unknown>, except?: Set<unknown> }} filter
 * @returns {any[]}
 */
function socketsFor(adapter, filter) {
  /** @type {any[]} */
  const sockets = [];
  forEachSocket(adapter, filter, (socket) => void sockets.push(socket));
  return sockets;
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

module.exports = {
  engineOf,
  isPristine,
  adapterBase,
  collectAcks,
  emitHere,
  encodesText,
  featuresOf,
  forEachSocket,
  ReceivedPacket,
  socketOf,
  socketsFor,
  useBaseOf,
  WriteOptions,
  writeTo,
};
