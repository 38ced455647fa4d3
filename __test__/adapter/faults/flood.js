'use strict';

/** A process that publishes at a pace: `node flood.js port channel rate seconds`, the payload comes on stdin. */

const net = require('node:net');

const { countLines, encodeCommand } = require('../../../dev/resp');

const [port, channel, rate, seconds] = process.argv
  .slice(2)
  .map((arg) => (Number.isNaN(Number(arg)) ? arg : Number(arg)));
/** What is sent without an answer is bounded, so that the pace is Redis' when it is slower. */
const WINDOW = 20_000;

/** @param {Buffer} payload */
function start(payload) {
  const block = Buffer.concat(Array(100).fill(encodeCommand('PUBLISH', channel, payload)));
  const socket = net.connect(Number(port), '127.0.0.1');
  const total = Number(rate) * Number(seconds);
  let sent = 0;
  let answered = 0;
  socket.on('data', (bytes) => {
    answered += countLines(bytes);
    if (answered === total) socket.end();
  });
  socket.on('connect', () => {
    const begin = performance.now();
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - begin) * Number(rate)) / 1000));
      while (sent + 100 <= due && sent - answered < WINDOW) {
        socket.write(block);
        sent += 100;
      }
      if (sent === total) clearInterval(timer);
    }, 2);
  });
  socket.on('close', () => process.stdout.write(JSON.stringify({ sent, answered })));
}

/** @type {Buffer[]} */
const parts = [];
process.stdin.on('data', (part) => parts.push(part)).on('end', () => start(Buffer.concat(parts)));
