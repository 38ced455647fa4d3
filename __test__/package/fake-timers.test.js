'use strict';

/**
 * The fake timers of jest, vitest and sinon (all `@sinonjs/fake-timers`) and of `node:test` stop a program's
 * own timers and no connection, whether they are there before the package is required or come later.
 */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { startRedis } = require('../../dev/redis-server');
const { LIMIT } = require('../support/limits');

const ROOT = path.join(__dirname, '../..');
const MESSAGES = 2000;

/** What each kind of fake timers is installed with. */
const KINDS = {
  // All of them: also `nextTick` and `queueMicrotask`, which vitest leaves alone.
  sinon: "require('@sinonjs/fake-timers').install()",
  'node:test':
    "require('node:test').mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] })",
};
/** `node:test` keeps what it has replaced to itself, so nothing that loads later can find it. */
const CASES = [
  ['sinon', 'before'],
  ['sinon', 'after'],
  ['node:test', 'after'],
];

/** The program: it ends by itself, with what it has seen on stdout. Node's own sockets would hang here. */
const PROGRAM = `
  const fs = require('node:fs');
  const [url, when] = process.argv.slice(1);
  const { Server } = require('socket.io-4');
  if (when === 'before') fake();
  const { RedisStore, createAdapter } = require('.');
  if (when === 'after') fake();

  const real = { fakeTimerFired: false, messages: 0, inOrder: true };
  setTimeout(() => { real.fakeTimerFired = true; }, 1);
  const wait = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const store = () => new RedisStore({ redisPub: url, redisSub: url, redisClient: url });
  const [from, to] = [store(), store()];

  const received = () => new Promise((resolve) => {
    to.subscribe('news', (number) => {
      if (number < 5) wait(10); // beyond the time that a batch has
      real.inOrder &&= number === real.messages++;
      if (real.messages === ${MESSAGES}) resolve();
    }, () => { for (let i = 0; i < ${MESSAGES}; i++) from.publish('news', i); });
  });
  const failed = () => new Promise((resolve) => from.client({ toString: null }).get('key', (error) => resolve(error.code)));
  const closed = (store) => new Promise((resolve) => { store.on('close', resolve); store.destroy(); });
  const servers = [1, 2].map(() => new Server({ adapter: createAdapter(url, { requestsTimeout: 200 }) }));
  const up = ({ sockets }) => new Promise((resolve) => sockets.adapter.on('connect', ({ connection }) => {
    if (connection === 'sub') resolve();
  }));
  /** One that is answered, and one that is not. */
  const ask = async () => {
    await Promise.all(servers.map(up));
    servers[1].on('question', (answer) => answer(42));
    const [answers] = await new Promise((resolve) => servers[0].serverSideEmit('question', (error, ...rest) => resolve(rest)));
    const silence = await new Promise((resolve) => servers[0].serverSideEmit('silence', (error) => resolve(error.code)));
    return { answers, silence };
  };

  (async () => {
    const [asked, code] = await Promise.all([ask(), failed(), received()]);
    await Promise.all([closed(from), closed(to)]);
    fs.writeSync(1, JSON.stringify({ ...real, ...asked, code }));
    // What is published in the last moment leaves before the process ends.
    servers[0].serverSideEmit('bye');
  })();
`;

describe('fake timers', LIMIT, () => {
  /** @type {Awaited<ReturnType<typeof startRedis>>} */
  let redis;
  before(async () => {
    redis = await startRedis();
  });
  after(() => redis?.stop());

  for (const [kind, when] of CASES) {
    it(`of ${kind}, there ${when} the package is required, stop no connection`, async () => {
      const program = `const fake = () => ${KINDS[kind]};${PROGRAM}`;
      const child = spawn(process.execPath, ['--no-warnings', '-e', program, redis.url, when], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      child.stdout.on('data', (chunk) => (text += chunk));
      const [code] = await once(child, 'close');
      assert.equal(code, 0);
      assert.deepEqual(JSON.parse(text), {
        fakeTimerFired: false,
        messages: MESSAGES,
        inOrder: true,
        answers: [42],
        silence: 'ERR_REQUEST_TIMEOUT',
        code: 'ERR_ENCODE',
      });
    });
  }
});
