'use strict';

// As much of RESP2 as the load speaks, in bytes: a payload may be anything.

const LF = 10;

/**
 * One command.
 * @param {(string | Buffer)[]} args
 * @returns {Buffer}
 */
function pack(...args) {
  const parts = args.map((arg) => Buffer.from(arg));
  const chunks = parts.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]);
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...chunks]);
}

/**
 * The replies in what a connection brings: an array of Buffers each, one for each of its items.
 * @param {AsyncIterable<Buffer>} connection
 */
async function* replies(connection) {
  let rest = Buffer.alloc(0);
  for await (const data of connection) {
    rest = rest.length > 0 ? Buffer.concat([rest, data]) : data;
    let at = 0;
    for (let reply = parse(rest, at); reply !== null; reply = parse(rest, at)) {
      yield reply.items;
      at = reply.end;
    }
    rest = rest.subarray(at);
  }
}

/** The reply at `at`, an array or a line; null if it is not whole yet. */
function parse(buffer, at) {
  const header = line(buffer, at);
  if (header === null) return null;
  if (header.text[0] !== '*') return { items: [Buffer.from(header.text)], end: header.end };
  const items = [];
  let { end } = header;
  for (let left = Number(header.text.slice(1)); left > 0; left -= 1) {
    const head = line(buffer, end);
    if (head === null) return null;
    if (head.text[0] === '$') {
      const length = Number(head.text.slice(1));
      if (buffer.length < head.end + length + 2) return null;
      items.push(buffer.subarray(head.end, head.end + length));
      end = head.end + length + 2;
    } else {
      items.push(Buffer.from(head.text));
      ({ end } = head);
    }
  }
  return { items, end };
}

function line(buffer, at) {
  const end = buffer.indexOf(LF, at);
  return end < 0 ? null : { text: buffer.latin1Slice(at, end - 1), end: end + 1 };
}

module.exports = { pack, replies };
