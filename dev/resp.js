'use strict';

/**
 * RESP2 for the tests, the benchmark and the demo, in bytes: a payload may be anything.
 */

const LF = 10;

/** An item of a reply: strings of a length are Buffers. @typedef {string | number | null | Error | Buffer | Reply[]} Reply */

/**
 * Encodes one command.
 * @param {...(string | number | Buffer)} args
 * @returns {Buffer}
 */
function encodeCommand(...args) {
  /** @type {Buffer[]} */
  const parts = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/**
 * Reads one reply.
 * @param {Buffer} buffer
 * @param {number} at where it begins
 * @returns {[Reply, number] | null} the reply and where the next one starts; null if it is not whole yet
 */
function parseReply(buffer, at = 0) {
  const eol = buffer.indexOf(LF, at);
  if (eol < 0) return null;
  const kind = String.fromCharCode(buffer[at]);
  const line = buffer.toString('utf8', at + 1, eol - 1);
  const next = eol + 1;
  if (kind === '+') return [line, next];
  if (kind === '-') return [new Error(line), next];
  if (kind === ':') return [Number(line), next];
  if (kind === '*') return parseArray(buffer, next, Number(line));
  if (kind !== '$') throw new Error(`not a RESP2 reply: ${line}`);
  if (line === '-1') return [null, next];
  const end = next + Number(line);
  return buffer.length < end + 2 ? null : [buffer.subarray(next, end), end + 2];
}

/**
 * @param {Buffer} buffer
 * @param {number} at
 * @param {number} length
 * @returns {[Reply, number] | null}
 */
function parseArray(buffer, at, length) {
  if (length < 0) return [null, at];
  /** @type {Reply[]} */
  const items = [];
  while (items.length < length) {
    const item = parseReply(buffer, at);
    if (!item) return null;
    items.push(item[0]);
    at = item[1];
  }
  return [items, at];
}

/**
 * Reads the replies in what a connection brings. Their Buffers are views of what it brought.
 * @param {AsyncIterable<Buffer>} connection
 * @returns {AsyncGenerator<Reply>}
 */
async function* replies(connection) {
  let rest = Buffer.alloc(0);
  for await (const data of connection) {
    rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    let at = 0;
    for (let parsed = parseReply(rest, at); parsed; parsed = parseReply(rest, at)) {
      yield parsed[0];
      at = parsed[1];
    }
    rest = rest.subarray(at);
  }
}

/**
 * Counts the replies that end in these bytes, where all are one line each (integers, statuses, errors).
 * @param {Buffer} bytes
 * @returns {number}
 */
function countLines(bytes) {
  let count = 0;
  for (const byte of bytes) if (byte === LF) count += 1;
  return count;
}

/**
 * Makes text of the Buffers in a reply.
 * @param {Reply} reply
 * @returns {any}
 */
function toText(reply) {
  if (Array.isArray(reply)) return reply.map(toText);
  return Buffer.isBuffer(reply) ? reply.toString() : reply;
}

module.exports = { countLines, encodeCommand, parseReply, replies, toText };
