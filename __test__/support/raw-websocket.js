'use strict';

/** A WebSocket client that sends and sees bytes: it keeps no rule of the protocol by itself. */

const { randomBytes } = require('node:crypto');
const net = require('node:net');
const { PATIENCE } = require('./limits');

/** The opcodes of RFC 6455. */
const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

const HEAD_END = '\r\n\r\n';
const KEY_LENGTH = 16;
/** How a connection has ended of which too little was heard. */
const OVERDUE = 'overdue';

/**
 * @typedef {object} FrameOptions
 * @property {boolean} [fin] default: true
 * @property {number} [rsv] the reserved bits, 0 to 7: 4 is RSV1 (default: 0)
 * @property {boolean} [masked] default: true
 * @property {Buffer} [mask] of 4 bytes
 * @property {7 | 16 | 64} [bits] how the length is encoded; default: the shortest way
 * @property {number | bigint} [length] what the head says instead of the payload's length
 */

/**
 * One frame, valid or not.
 * @param {number} opcode
 * @param {string | Buffer} [payload]
 * @param {FrameOptions} [options]
 * @returns {Buffer}
 */
function frame(opcode, payload = '', options = {}) {
  const { fin = true, rsv = 0, masked = true, mask = randomBytes(4) } = options;
  const data = Buffer.from(payload);
  const head = lengthOf(options.length ?? data.length, options.bits);
  head[0] |= masked ? 0x80 : 0;
  const first = Buffer.of((fin ? 0x80 : 0) | (rsv << 4) | opcode);
  if (!masked) return Buffer.concat([first, head, data]);
  return Buffer.concat([first, head, mask, data.map((byte, i) => byte ^ mask[i % mask.length])]);
}

/** @param {number | bigint} length @param {7 | 16 | 64} [bits] */
function lengthOf(length, bits = length < 126 ? 7 : length < 65_536 ? 16 : 64) {
  if (bits === 7) return Buffer.of(Number(length));
  const buffer = Buffer.alloc(1 + bits / 8);
  buffer[0] = bits === 16 ? 126 : 127;
  if (bits === 16) buffer.writeUInt16BE(Number(length), 1);
  else buffer.writeBigUInt64BE(BigInt(length), 1);
  return buffer;
}

/**
 * A close frame.
 * @param {number} [code]
 * @param {string | Buffer} [reason]
 */
function closeFrame(code, reason = '') {
  if (code === undefined) return frame(OPCODES.close);
  const status = Buffer.alloc(2);
  status.writeUInt16BE(code);
  return frame(OPCODES.close, Buffer.concat([status, Buffer.from(reason)]));
}

/**
 * A frame that came from the server.
 * @typedef {{ fin: boolean, rsv: number, opcode: number, masked: boolean, payload: Buffer }} Frame
 */

/** Takes whole frames off bytes that have arrived. @param {Buffer} bytes @returns {[Frame | undefined, Buffer]} */
function takeFrame(bytes) {
  if (bytes.length < 2) return [undefined, bytes];
  const short = bytes[1] & 0x7f;
  const start = { 126: 4, 127: 10 }[short] ?? 2;
  if (bytes.length < start) return [undefined, bytes];
  const length = start === 2 ? short : start === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + length) return [undefined, bytes];
  const [first, second] = bytes;
  const payload = bytes.subarray(start, start + length);
  const taken = { fin: first >= 0x80, rsv: (first >> 4) & 7, opcode: first & 15, masked: second >= 0x80, payload };
  return [taken, bytes.subarray(start + length)];
}

class RawWebSocket {
  #bytes = Buffer.alloc(0);
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** The server's answer to the handshake, without its empty line. */
    this.head = '';
    /** All frames that have come. @type {Frame[]} */
    this.frames = [];
    /** How the connection has ended: `end` (in order) or the code of the error, '' while it is open. */
    this.ended = '';
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#read(data));
    socket.on('end', () => this.#end('end'));
    socket.on('error', (/** @type {any} */ error) => this.#end(error.code));
    socket.on('close', () => this.#end('close'));
  }

  #read(data) {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    if (this.head === '') {
      const end = this.#bytes.indexOf(HEAD_END);
      if (end < 0) return;
      this.head = this.#bytes.toString('latin1', 0, end);
      this.#bytes = this.#bytes.subarray(end + HEAD_END.length);
    }
    for (let taken; ([taken, this.#bytes] = takeFrame(this.#bytes)), taken;) this.frames.push(taken);
    this.#look();
  }

  #end(how) {
    this.ended ||= how;
    this.#look();
  }

  #look() {
    for (const look of this.#waiting.splice(0)) look();
  }

  /**
   * Resolves when this is so; it is looked at whenever something has come.
   * @param {() => unknown} isSo
   * @param {string} what for the error
   */
  async until(isSo, what) {
    const limit = setTimeout(() => this.#end(OVERDUE), PATIENCE);
    try {
      while (!isSo()) {
        if (this.ended === OVERDUE) throw new Error(`${what} did not come`);
        await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
      }
    } finally {
      clearTimeout(limit);
    }
  }

  /** The status of the answer to the handshake. */
  get status() {
    return Number(this.head.split(' ')[1]);
  }

  /** Writes all in one packet, as far as the kernel lets it. @param {...Buffer} buffers */
  send(...buffers) {
    this.socket.write(Buffer.concat(buffers));
  }

  /** Resolves with the first frame that was not taken yet. @returns {Promise<Frame>} */
  async next() {
    await this.until(() => this.frames.length > 0 || this.ended, 'a frame');
    const first = this.frames.shift();
    if (first === undefined) throw new Error(`the connection has ended (${this.ended}) before a frame came`);
    return first;
  }

  /** Resolves when the connection has ended. @returns {Promise<string>} how, see {@link RawWebSocket#ended} */
  async closed() {
    await this.until(() => this.ended, 'the end of the connection');
    return this.ended;
  }

  /** Ends the connection without a word. */
  destroy() {
    this.socket.destroy();
  }

  /** Resets the connection. */
  reset() {
    this.socket.resetAndDestroy();
  }
}

/**
 * @typedef {object} ConnectOptions
 * @property {number} port
 * @property {string} [path] default: `/`
 * @property {Record<string, string>} [headers] besides, or instead of, a handshake's
 * @property {Buffer} [head] what is sent in one packet with the handshake
 * @property {boolean} [allowHalfOpen] whether it stays open for writing when the server ends
 */

/**
 * Asks for a WebSocket; resolves when the server has answered or hung up.
 * @param {ConnectOptions} options
 */
async function connectRaw({ port, path = '/', headers = {}, head = Buffer.alloc(0), allowHalfOpen = false }) {
  const raw = new RawWebSocket(net.connect({ port, host: '127.0.0.1', allowHalfOpen }));
  const all = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': randomBytes(KEY_LENGTH).toString('base64'),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  raw.send(Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`), head);
  await raw.until(() => raw.head || raw.ended, 'the answer to the handshake');
  return raw;
}

module.exports = { OPCODES, RawWebSocket, closeFrame, connectRaw, frame };
