'use strict';

/** What comes of bytes that a client sends: what the application hears, and what the client gets back. */

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { once } = require('node:events');
const http = require('node:http');
const { setImmediate: turn } = require('node:timers/promises');
const ws = require('ws');
const { WebSocketServer } = require('../../..');
const { OPCODES, closeFrame, connectRaw } = require('../../support/raw-websocket');

/** The original, which is the control, and ours. */
const ENGINES = [
  { engine: 'ws', Server: ws.WebSocketServer },
  { engine: 'ours', Server: WebSocketServer },
];

/** Bytes up to this length are shown whole. */
const SHOWN = 32;
const NAMES = Object.fromEntries(Object.entries(OPCODES).map(([name, opcode]) => [opcode, name]));

/**
 * @typedef {object} Heard
 * @property {string[]} server the events of the WebSocket
 * @property {string[]} client the frames that the client got, and how the connection ended
 */

/** @param {string} kind @param {string | Buffer} data @returns {string} short, and different for different data */
function inWords(kind, data) {
  const bytes = Buffer.from(data);
  if (bytes.length <= SHOWN) return `${kind} ${bytes.toString('latin1')}`;
  return `${kind} of ${bytes.length} bytes, ${createHash('sha1').update(bytes).digest('hex')}`;
}

/** @param {number} code @param {string | Buffer} reason */
function closeInWords(code, reason) {
  return inWords(`close ${code}`, reason);
}

/** @param {any} webSocket @returns {string[]} to which its events are added */
function listen(webSocket) {
  const events = /** @type {string[]} */ ([]);
  webSocket.on('message', (data, isBinary) => events.push(inWords(isBinary ? 'binary' : 'text', data)));
  for (const kind of ['ping', 'pong']) webSocket.on(kind, (data) => events.push(inWords(kind, data)));
  webSocket.on('error', (error) => events.push(`${error.name} ${error.code}`));
  webSocket.on('close', (code, reason) => events.push(closeInWords(code, reason)));
  return events;
}

/** @param {import('../../support/raw-websocket').Frame} frame */
function frameInWords({ fin, rsv, opcode, masked, payload }) {
  assert.deepEqual({ fin, rsv, masked }, { fin: true, rsv: 0, masked: false });
  if (opcode !== OPCODES.close) return inWords(NAMES[opcode], payload);
  return payload.length === 0 ? 'close' : closeInWords(payload.readUInt16BE(0), payload.subarray(2));
}

/**
 * Sends packets to a new server and listens until the connection has ended on both sides. The last one has to bring
 * that about.
 * @param {any} Server
 * @param {Buffer[]} packets each is a write of its own
 * @param {{ head?: Buffer, leave?: (raw: any) => unknown } & Record<string, any>} [options] what is sent with the request,
 *   what the client does in the end, and the server's options
 * @returns {Promise<Heard>}
 */
async function converse(Server, packets, { head, leave = () => {}, ...options } = {}) {
  const server = http.createServer();
  const sockets = new Server({ noServer: true, clientTracking: false, perMessageDeflate: false, ...options });
  const accepted = new Promise((resolve) => {
    server.on('upgrade', (req, socket, head) => {
      sockets.handleUpgrade(req, socket, head, (webSocket) => {
        resolve({ events: listen(webSocket), closed: new Promise((done) => webSocket.once('close', done)) });
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const raw = await connectRaw({ port, head });
  const { events, closed } = await accepted;
  for (const packet of packets) {
    raw.send(packet);
    await turn();
  }
  await leave(raw);
  const ended = await raw.closed();
  await closed;
  server.close();
  if (Server === WebSocketServer) assert.deepEqual(sockets.stats().fallbacks, {});
  return { server: events, client: [...raw.frames.map(frameInWords), ended] };
}

/**
 * Asserts what comes of packets without a fault, behind which the client closes.
 * @param {any} Server
 * @param {Buffer[]} packets
 * @param {string[]} events what the application hears
 * @param {string[]} [replies] the frames that the client gets
 * @param {object} [options] the server's
 */
async function accepts(Server, packets, events, replies = [], options) {
  const heard = await converse(Server, [...packets, closeFrame(1000, 'done')], options);
  const close = 'close 1000 done';
  assert.deepEqual(heard, { server: [...events, close], client: [...replies, close, 'end'] });
}

/**
 * What a broken rule leads to.
 * @typedef {object} Violation
 * @property {string} code of the error
 * @property {number} status that the client is closed with
 * @property {string} [name] of the error's class; default: RangeError
 */

/**
 * Asserts that packets break a rule at their end.
 * @param {any} Server
 * @param {Buffer[]} packets
 * @param {Violation} violation
 * @param {{ events?: string[], replies?: string[], options?: object }} [others] what comes before, and the server's options
 */
async function refuses(Server, packets, violation, { events = [], replies = [], options } = {}) {
  const { code, status, name = 'RangeError' } = violation;
  const heard = await converse(Server, packets, options);
  assert.deepEqual(heard, {
    server: [...events, `${name} ${code}`, 'close 1006 '],
    client: [...replies, `close ${status} `, 'end'],
  });
}

/** @param {number} status @param {string} code @param {string} [name] @returns {Violation} */
const violation = (status, code, name) => ({ status, code: `WS_ERR_${code}`, name });

/** All that ws knows, but for those of permessage-deflate. */
const VIOLATIONS = {
  rsv1: violation(1002, 'UNEXPECTED_RSV_1'),
  rsv23: violation(1002, 'UNEXPECTED_RSV_2_3'),
  opcode: violation(1002, 'INVALID_OPCODE'),
  fin: violation(1002, 'EXPECTED_FIN'),
  mask: violation(1002, 'EXPECTED_MASK'),
  controlLength: violation(1002, 'INVALID_CONTROL_PAYLOAD_LENGTH'),
  closeCode: violation(1002, 'INVALID_CLOSE_CODE'),
  utf8: violation(1007, 'INVALID_UTF8', 'Error'),
  tooLong: violation(1009, 'UNSUPPORTED_MESSAGE_LENGTH'),
  beyondNumbers: violation(1009, 'UNSUPPORTED_DATA_PAYLOAD_LENGTH'),
};

module.exports = { ENGINES, VIOLATIONS, accepts, closeInWords, converse, inWords, refuses };
