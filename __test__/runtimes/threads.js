'use strict';

/** The smoke test in several threads at once, and in the main thread meanwhile. Prints `ok`. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { Worker } = require('node:worker_threads');

const { main } = require('./smoke');

const THREADS = 2;

async function thread(settings) {
  const worker = new Worker(require.resolve('./smoke'), { argv: [settings], stdout: true });
  let output = '';
  worker.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const ended = once(worker.stdout, 'end');
  // An error of the thread rejects.
  const [code] = await once(worker, 'exit');
  await ended;
  assert.deepEqual([code, output], [0, 'ok\n']);
}

Promise.all([...Array.from({ length: THREADS }, () => thread(process.argv[2])), main(process.argv[2])]);
