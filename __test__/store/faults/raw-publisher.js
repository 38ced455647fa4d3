'use strict';

/** Publishes what no store would, over a connection of its own. */

const { once } = require('node:events');
const net = require('node:net');
const { countLines, encodeCommand } = require('../../../dev/resp');

/** Publishes number 1 to N in one go, on the server. */
const FLOOD = `
for number = 1, tonumber(ARGV[1]) do
  redis.call('PUBLISH', KEYS[1], '{"nodeId":"raw","args":[' .. number .. ']}')
end
return tonumber(ARGV[1])`;

/** A connection that is open, so that what is written leaves at once. */
class Raw {
  #socket;
  #replies = 0;
  #sent = 0;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    // Only integers come back here, a line each.
    socket.on('data', (bytes) => {
      if (bytes.includes('-')) throw new Error(`Redis answered ${bytes}`);
      this.#replies += countLines(bytes);
      if (this.#replies >= this.#sent) this.#waiting.splice(0).forEach((resolve) => resolve());
    });
  }

  #send(...args) {
    this.#sent++;
    this.#socket.write(encodeCommand(...args));
  }

  /**
   * @param {string} channel
   * @param {string | Buffer} payload
   */
  publish(channel, payload) {
    this.#send('PUBLISH', channel, payload);
  }

  /**
   * Publishes `[1]` to `[count]`, while this event loop may be busy with something else.
   * @param {string} channel
   * @param {number} count
   */
  flood(channel, count) {
    this.#send('EVAL', FLOOD, '1', channel, count);
  }

  /** Resolves once Redis has done all that was sent. */
  done() {
    return new Promise((resolve) => {
      if (this.#replies >= this.#sent) resolve(undefined);
      else this.#waiting.push(() => resolve(undefined));
    });
  }

  close() {
    this.#socket.destroy();
  }
}

/**
 * @param {number} port
 * @returns {Promise<Raw>}
 */
async function connectRaw(port) {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return new Raw(socket);
}

module.exports = { connectRaw };
