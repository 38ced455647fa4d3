'use strict';

/** Figures that stand in sentences are those of the last results, rounded as the sentence rounds them. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { resultsOf } = require('../../bench/pages');
const { ROOT } = require('../../scripts/packages');
const { LIMIT } = require('../support/limits');

const [OFFICIAL, JS_STORE, NATIVE] = [
  '@socket.io/redis-adapter, redis 6',
  'socket.io 0.9.19',
  'socket.io-redis-native',
];
const [ON_WS, ON_UWS] = ['ws', 'uWebSockets.js'].map((server) => `@socket.io/redis-adapter on ${server}`);
const ENGINE = `${NATIVE}, WebSocketServer`;
const KB = 1000;

/** The figures of some in one case. */
const of = (family, id, figure, names, unit = 1) => names.map((name) => ({ family, id, figure, name, unit }));
/** The same, of uWebSockets.js and of this package. */
const beside = (id, figure) => of('websocket', `websocket-${id}`, figure, [ON_UWS, ENGINE]);
const memory = (...names) => of('websocket', 'websocket-memory', 'perClient', names, KB);
const session = (id) => of('store', id, 'cpu', [NATIVE, JS_STORE]);

/** Sentences, with # for each figure. @type {[file: string, sentence: string, ReturnType<typeof of>][]} */
const SENTENCES = [
  [
    'README.md',
    'costs the event loop # µs instead of # µs',
    of('adapter', 'adapter-receive-elsewhere', 'main', [NATIVE, OFFICIAL]),
  ],
  ['README.md', 'takes # KB with `WebSocketServer`, and # KB with `ws`', memory(ENGINE, ON_WS)],
  [
    'docs/how-it-works.svg',
    'its event loop # µs without, and # µs with',
    of('adapter', 'adapter-receive-elsewhere', 'main', [OFFICIAL, NATIVE]),
  ],
  // Of 1,000 sockets, µs each: so many ms.
  ['docs/how-it-works.md', 'the event loop writes for # ms', of('websocket', 'websocket-remote-1000', 'main', [ON_WS])],
  ['docs/how-it-works.md', 'another writes for # ms', of('websocket', 'websocket-remote-1000', 'cpu', [ENGINE])],
  ['docs/how-it-works.svg', 'one after the other: # ms', of('websocket', 'websocket-remote-1000', 'main', [ON_WS])],
  ['docs/how-it-works.svg', '1,000 writes: # ms', of('websocket', 'websocket-remote-1000', 'cpu', [ENGINE])],
  [
    'docs/how-it-works.md',
    '# KB with `WebSocketServer`, # KB with `ws`, # KB with uWebSockets.js',
    memory(ENGINE, ON_WS, ON_UWS),
  ],
  ['docs/how-it-works.md', 'one after the other: # µs of the process instead of # µs', session('store-session')],
  ['docs/how-it-works.md', 'A hundred at a time: # µs instead of # µs', session('store-session-pipelined')],
  [
    'docs/how-it-works.md',
    'median # ms and # ms; `ws` # ms',
    of('websocket', 'websocket-up', 'p50', [ENGINE, ON_UWS, ON_WS]),
  ],
  ['docs/migrate/ws.md', 'takes # KB of RSS instead of # KB', memory(ENGINE, ON_WS)],
  ['docs/migrate/uwebsockets.md', '1,000 sockets, main thread, µs a socket | # | # |', beside('remote-1000', 'main')],
  ['docs/migrate/uwebsockets.md', 'the same, whole process, µs a socket | # | # |', beside('remote-1000', 'cpu')],
  ['docs/migrate/uwebsockets.md', '1,000 sockets, 99 % within 50 ms | # | # |', beside('highest-1000', 'rate')],
  ['docs/migrate/uwebsockets.md', '`socket.emit` to one socket, main thread, µs | # | # |', beside('unicast', 'main')],
  ['docs/migrate/uwebsockets.md', 'a message of a client, main thread, µs | # | # |', beside('up', 'main')],
  ['docs/migrate/uwebsockets.md', 'the same, ms until the handler has it, median | # | # |', beside('up', 'p50')],
  ['docs/migrate/uwebsockets.md', 'memory of an idle connection, bytes | # | # |', beside('memory', 'perClient')],
];

/** @param {string} sentence @returns {RegExp} which finds its figures */
const pattern = (sentence) =>
  new RegExp(
    sentence
      .replace(/[.|*+?^$()[\]{}]/g, '\\$&')
      .replaceAll('#', '([\\d.,]*\\d)')
      .replaceAll(' ', '\\s+'),
  );

/**
 * @param {string} said as a sentence has it
 * @param {ReturnType<typeof of>[number]} figure
 * @returns {string} what the last results say, to as many digits
 */
function measured(said, { family, id, figure, name, unit }) {
  const result = resultsOf(family).results.find((each) => each.id === id && each.figures[name]?.[figure] !== undefined);
  const digits = said.split('.')[1]?.length ?? 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return (result.figures[name][figure] / unit).toLocaleString('en', options);
}

describe('the figures in sentences', LIMIT, () => {
  for (const [file, sentence, figures] of SENTENCES)
    it(`are those of the last results in ${file}: ${sentence}`, () => {
      const [, ...said] = pattern(sentence).exec(fs.readFileSync(path.join(ROOT, file), 'utf8')) ?? [];
      assert.equal(said.length, figures.length, 'the sentence is there');
      assert.deepEqual(
        said,
        figures.map((figure, i) => measured(said[i], figure)),
      );
    });
});
