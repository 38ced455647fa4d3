'use strict';

/** The page's few files, by name: no path from a request ever reaches the disk. */

const fs = require('node:fs');
const path = require('node:path');

const FILES = new Map([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/style.css', ['style.css', 'text/css; charset=utf-8']],
  ['/app.js', ['app.js', 'text/javascript; charset=utf-8']],
  ['/connection.js', ['connection.js', 'text/javascript; charset=utf-8']],
  ['/workers.js', ['workers.js', 'text/javascript; charset=utf-8']],
  ['/icon.svg', ['icon.svg', 'image/svg+xml']],
]);

const HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
};

/** What the page says of Socket.IO 0.9; of 4 it says the same, but for these. */
const WORDS_OF_4 = [['Socket.IO 0.9', 'Socket.IO 4'], ['through a store', 'through an adapter']];

/**
 * @param {string} name of a file
 * @param {string | undefined} version Socket.IO's
 */
function read(name, version) {
  const body = fs.readFileSync(path.join(__dirname, 'public', name));
  if (version !== '4' || name !== 'index.html') return body;
  return Buffer.from(WORDS_OF_4.reduce((text, [old, word]) => text.replaceAll(old, word), body.toString()));
}

/**
 * @param {string | undefined} version Socket.IO's
 * @returns {import('node:http').RequestListener}
 */
function serveStatic(version) {
  return (req, res) => serve(version, req, res);
}

/**
 * @param {string | undefined} version
 * @param {import('node:http').IncomingMessage} req
 * @param {import('node:http').ServerResponse} res
 */
function serve(version, req, res) {
  const file = FILES.get((req.url ?? '').split('?', 1)[0]);
  if (!file || (req.method !== 'GET' && req.method !== 'HEAD')) {
    res.writeHead(404, { 'Content-Type': 'text/plain', ...HEADERS });
    res.end('There is nothing here.\n');
    return;
  }
  const [name, type] = file;
  const body = read(name, version);
  // The cluster deals connections out in turn, and every page opens as many: were all kept,
  // each page would end up on the same worker as the last one.
  const connection = Math.random() < 0.5 ? 'close' : 'keep-alive';
  res.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length, Connection: connection, ...HEADERS });
  res.end(req.method === 'HEAD' ? undefined : body);
}

module.exports = { serveStatic };
