'use strict';

// A client that costs little, so that thousands of them are not what is measured: a TCP connection that reads into
// the memory of all, and speaks the least of WebSocket, Engine.IO 4 and Socket.IO's protocol.

const net = require('node:net');

const { SEQUENCE, TIME } = require('../timestamp');
const { KIND_AT, SEQUENCE_AT, TIME_AT } = require('./messages');

const SHARED = Buffer.alloc(64 * 1024);
const END_OF_HEAD = '\r\n\r\n';
const TEXT_FRAME = 0x81;
const MASKED = 0x80;
/** A key that is not zero: unmasking with zeros may be left out. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const [ZERO, TWO, FOUR] = Buffer.from('024');

/** A frame of a client. @param {Buffer} payload of less than 64 KiB */
function frameOf(payload) {
  const head =
    payload.length < 126
      ? Buffer.from([TEXT_FRAME, MASKED | payload.length])
      : Buffer.from([TEXT_FRAME, MASKED | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, MASK, mask(Buffer.from(payload), 0)]);
}

/** Masks, or unmasks, in place. @param {Buffer} bytes @param {number} at where in the payload they are */
function mask(bytes, at) {
  for (let i = 0; i < bytes.length; i += 1) bytes[i] ^= MASK[(at + i) & 3];
  return bytes;
}

const CONNECT = frameOf(Buffer.from('40'));
const PONG = frameOf(Buffer.from('3'));

/** A number in decimal digits. */
function numberAt(bytes, at, digits) {
  let number = 0;
  for (let i = at; i < at + digits; i += 1) number = number * 10 + bytes[i] - ZERO;
  return number;
}

/** One connection. */
class Client {
  #socket;
  #upgraded = false;
  #rest = Buffer.alloc(0);
  #onEvent;
  #connected;

  /**
   * @param {object} to
   * @param {number} to.port
   * @param {string} to.room
   * @param {(client: Client, kind: number, sequence: number, sent: number, packet: () => string) => void} onEvent
   *   `kind`: its character code; `sent`: in nanoseconds
   */
  constructor({ port, room }, onEvent) {
    this.#onEvent = onEvent;
    /** The numbers of the last messages, by kind. @type {Record<number, number>} */
    this.last = {};
    const callback = (length, bytes) => this.#take(bytes, length);
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: SHARED, callback } });
    this.#socket.write(
      `GET /socket.io/?EIO=4&transport=websocket&room=${room} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==${END_OF_HEAD}`,
    );
    /** Once Socket.IO has accepted it. @type {Promise<void>} */
    this.connected = new Promise((resolve, reject) => {
      this.#connected = resolve;
      this.#socket.once('close', () => reject(new Error('a client was disconnected')));
      this.#socket.on('error', reject);
    });
  }

  /** @param {Buffer} frame */
  send(frame) {
    this.#socket.write(frame);
  }

  #take(read, length) {
    let bytes = read;
    let end = length;
    if (this.#rest.length > 0) {
      bytes = Buffer.concat([this.#rest, read.subarray(0, length)]);
      end = bytes.length;
    }
    const at = this.#upgraded ? this.#frames(bytes, 0, end) : this.#head(bytes, end);
    // Copied: the next client reads into the same memory.
    this.#rest = at < end ? Buffer.from(bytes.subarray(at, end)) : EMPTY;
    return true;
  }

  #head(bytes, end) {
    const at = bytes.subarray(0, end).indexOf(END_OF_HEAD);
    if (at < 0) return 0;
    const status = bytes.latin1Slice(0, 12);
    if (status !== 'HTTP/1.1 101') this.#socket.destroy(new Error(`not upgraded: ${status}`));
    this.#upgraded = true;
    return this.#frames(bytes, at + END_OF_HEAD.length, end);
  }

  /** @returns {number} where the first frame begins that is not whole */
  #frames(bytes, from, end) {
    let at = from;
    while (end - at >= 2) {
      let start = at + 2;
      let length = bytes[at + 1];
      if (length === 126) {
        if (end - at < 4) break;
        length = bytes.readUInt16BE(start);
        start += 2;
      }
      if (start + length > end) break;
      if (bytes[at] !== TEXT_FRAME) this.#socket.destroy(new Error(`a frame that begins with ${bytes[at]}`));
      this.#packet(bytes, start, start + length);
      at = start + length;
    }
    return at;
  }

  #packet(bytes, at, end) {
    if (bytes[at] === FOUR && bytes[at + 1] === TWO) {
      const kind = bytes[at + KIND_AT];
      const sequence = numberAt(bytes, at + SEQUENCE_AT, SEQUENCE.length);
      const sent = numberAt(bytes, at + TIME_AT, TIME.length);
      this.#onEvent(this, kind, sequence, sent, () => bytes.latin1Slice(at, end));
    } else if (bytes[at] === ZERO) {
      this.send(CONNECT);
    } else if (bytes[at] === TWO) {
      this.send(PONG);
    } else if (bytes[at] === FOUR && bytes[at + 1] === ZERO) {
      this.#connected();
    }
  }
}

const EMPTY = Buffer.alloc(0);

module.exports = { Client, frameOf, mask };
