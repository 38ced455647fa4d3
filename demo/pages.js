'use strict';

/** The page and its files. */

const fs = require('node:fs');
const path = require('node:path');
const express = require('express');

const PUBLIC = path.join(__dirname, 'public');

const HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': "default-src 'self'; connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
};

/** What the page says of 0.9, and what it says of 4 instead. */
const ADAPTER_WORDS = [
  ['Socket.IO 0.9', 'Socket.IO 4'],
  ['through a store', 'through an adapter on streams'],
  [
    "Filtered: a worker's own broadcasts, which come back to it.",
    'Filtered: broadcasts for rooms that have nobody on that worker.',
  ],
  ['next takes them over.', 'next takes them over, and brings what was said meanwhile.'],
];

/**
 * Makes the application that serves the page.
 * @param {string | undefined} version `store` or `adapter`
 * @returns {import('node:http').RequestListener}
 */
function pages(version) {
  const app = express();
  app.disable('x-powered-by');
  app.use((request, response, next) => {
    response.set(HEADERS);
    // The cluster deals connections out in turn, and every page opens as many: were all kept,
    // each page would end up on the same worker as the last one.
    if (Math.random() < 0.5) response.set('Connection', 'close');
    next();
  });
  if (version === 'adapter') {
    const page = fs.readFileSync(path.join(PUBLIC, 'index.html'), 'utf8');
    const body = ADAPTER_WORDS.reduce((text, [old, word]) => text.replaceAll(old, word), page);
    app.get('/', (request, response) => response.type('html').send(body));
  }
  app.use(express.static(PUBLIC, { cacheControl: false }));
  return app;
}

module.exports = { pages };
