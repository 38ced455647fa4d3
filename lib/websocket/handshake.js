'use strict';

/** The opening handshake of a WebSocket (RFC 6455, 4.2), as ws 8 does it. */

const { createHash } = require('node:crypto');
const { STATUS_CODES } = require('node:http');

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const VERSIONS = [13, 8];
/** A list of tokens with commas between them. */
const TOKENS = /^[\t ]*[!#$%&'*+.^_`|~\w-]+[\t ]*(?:,[\t ]*[!#$%&'*+.^_`|~\w-]+[\t ]*)*$/;

/**
 * What is wrong with a request, if anything is.
 * @typedef {{ status: number, message?: string, headers?: Record<string, string> }} Refusal
 */

/**
 * Checks a request to upgrade.
 * @param {import('node:http').IncomingMessage} req
 * @returns {Refusal | undefined}
 */
function refusalOf(req) {
  const { upgrade } = req.headers;
  const key = req.headers['sec-websocket-key'];
  if (req.method !== 'GET') return { status: 405, message: 'Invalid HTTP method' };
  if (upgrade?.toLowerCase() !== 'websocket') return { status: 400, message: 'Invalid Upgrade header' };
  if (key === undefined || !KEY.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
  if (!VERSIONS.includes(versionOf(req))) {
    const headers = { 'Sec-WebSocket-Version': VERSIONS.join(', ') };
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Version header', headers };
  }
  return undefined;
}

/** @param {import('node:http').IncomingMessage} req */
function versionOf(req) {
  return Number(req.headers['sec-websocket-version']);
}

/**
 * The subprotocols that a client offers.
 * @param {import('node:http').IncomingMessage} req
 * @returns {Set<string> | null} null where the header is no list of different tokens
 */
function protocolsOf(req) {
  const header = req.headers['sec-websocket-protocol'];
  if (header === undefined) return new Set();
  if (!TOKENS.test(header)) return null;
  const names = header.split(',').map((name) => name.trim());
  const protocols = new Set(names);
  return protocols.size === names.length ? protocols : null;
}

/**
 * What `verifyClient` is told.
 * @param {import('node:http').IncomingMessage} req
 */
function clientInfo(req) {
  const { authorized, encrypted } = /** @type {any} */ (req.socket);
  const origin = req.headers[versionOf(req) === 8 ? 'sec-websocket-origin' : 'origin'];
  return { origin, secure: Boolean(authorized || encrypted), req };
}

/**
 * The headers that accept a request.
 * @param {import('node:http').IncomingMessage} req
 * @param {string | undefined} protocol the subprotocol that was chosen
 * @returns {string[]}
 */
function acceptance(req, protocol) {
  const key = `${req.headers['sec-websocket-key']}${GUID}`;
  const headers = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
  ];
  if (protocol) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return headers;
}

/**
 * Answers a request that is refused, and ends its connection.
 * @param {import('node:stream').Duplex} socket
 * @param {Refusal} refusal
 */
function refuse(socket, { status, message = STATUS_CODES[status] ?? '', headers = {} }) {
  const all = {
    Connection: 'close',
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(message),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${message}`);
}

module.exports = { acceptance, clientInfo, protocolsOf, refusalOf, refuse };
