'use strict';

/**
 * What is left of WebSockets when they are gone, however they end; and what descriptors are needed for.
 *
 * `LIFETIMES_CLIENTS=10000 LIFETIMES_TOGETHER=5000 node --test __test__/lifetimes/websocket.test.js`
 */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const path = require('node:path');
const { describe, it } = require('node:test');
const { LIMIT } = require('../support/limits');
const { ENGINES, RawClient, clientFrame, next, requestHead } = require('../websocket/fixture');

const PROGRAM = path.join(__dirname, 'websocket-program.js');
const ROUNDS = 10;
const CLIENTS = Number(process.env.LIFETIMES_CLIENTS ?? 1000);
/** Opened at the same time. */
const TOGETHER = Number(process.env.LIFETIMES_TOGETHER ?? 100);
const MEBIBYTE = 1024 * 1024;
/** What the program keeps of each that it has seen, in bytes: a `WeakRef`, and a place in a list. */
const KEPT = 64;

/** How connections end; each begins with an echo, but for those that never are one. @type {((client: RawClient) => any)[]} */
const ENDS = [
  async (client) => {
    client.socket.write(clientFrame(8, Buffer.from([3, 232])));
    await client.rest();
  },
  (client) => client.socket.destroy(),
  (client) => client.socket.resetAndDestroy(),
  async (client) => {
    client.socket.end();
    await client.rest();
  },
  async (client) => {
    client.socket.write(clientFrame(1, 'terminate'));
    await client.rest();
  },
  async (client) => {
    client.socket.write(clientFrame(1, 'close'));
    assert.equal((await client.frame())?.opcode, 8);
    client.socket.write(clientFrame(8, Buffer.from([3, 232])));
    await client.rest();
  },
  // In the middle of a frame.
  async (client) => {
    await new Promise((resolve) => client.socket.write(clientFrame(1, 'unfinished').subarray(0, 9), resolve));
    client.socket.destroy();
  },
  // A broken rule.
  async (client) => {
    client.socket.write(Buffer.from([0xff, 0xff]));
    await client.rest();
  },
  // Much on its way, in both directions.
  async (client) => {
    client.socket.write(Buffer.concat(Array.from({ length: 200 }, () => clientFrame(1, 'x'.repeat(100)))));
    await client.frame();
    client.socket.resetAndDestroy();
  },
];

/** A process with a server. */
async function startProgram(t, engine, { execArgv = ['--expose-gc'], execPath = process.execPath } = {}) {
  const child = fork(PROGRAM, [engine], { execArgv, execPath, env: { ...process.env, NODE: process.execPath } });
  t.after(() => child.kill('SIGKILL'));
  const [{ port }] = await next(child, 'message');
  const ask = async (/** @type {string} */ what) => {
    const answer = next(child, 'message');
    child.send(what);
    return (await answer)[0];
  };
  return { port, ask };
}

/** A connection from one of many addresses, since each has its own ports. */
async function connectFrom(port, number) {
  const client = new RawClient({ host: '127.0.0.1', port, localAddress: `127.0.1.${(number % 200) + 1}` });
  client.socket.write(Buffer.concat([Buffer.from(requestHead()), clientFrame(1, 'hello')]));
  assert.match(await client.head(), /^HTTP\/1.1 101 /);
  assert.equal(String((await client.frame())?.payload), 'echo hello');
  return client;
}

/** So many connections are opened, and ended in all ways. */
async function round(port) {
  for (let begin = 0; begin < CLIENTS; begin += TOGETHER) {
    const numbers = Array.from({ length: TOGETHER }, (_, i) => begin + i);
    const clients = await Promise.all(numbers.map((number) => connectFrom(port, number)));
    await Promise.all(clients.map((client, i) => ENDS[i % ENDS.length](client)));
    for (const { socket } of clients) socket.destroy();
  }
}

for (const { name } of ENGINES) {
  describe(`connections that are gone: ${name}`, { ...LIMIT, skip: process.platform !== 'linux' }, () => {
    it('leave no descriptor, thread, object or memory', async (t) => {
      const { port, ask } = await startProgram(t, name);
      await round(port);
      const first = await ask('report');
      let last = first;
      for (let i = 1; i < ROUNDS; i++) {
        await round(port);
        last = await ask('report');
        assert.deepEqual([last.files, last.threads], [first.files, first.threads]);
      }
      assert.equal(last.seen, 2 * ROUNDS * CLIENTS);
      // The last ones may still be in a register.
      assert.ok(last.alive < 10, `${last.alive} of ${last.seen} are not collected`);
      t.diagnostic(
        `RSS ${first.rss / MEBIBYTE} MiB, then ${last.rss / MEBIBYTE}; heap ${first.heapUsed / MEBIBYTE}, then ${last.heapUsed / MEBIBYTE}`,
      );
      const kept = KEPT * (last.seen - first.seen);
      assert.ok(last.heapUsed < first.heapUsed + kept + 4 * MEBIBYTE, `${first.heapUsed}, then ${last.heapUsed}`);
      assert.ok(last.rss < first.rss + 48 * MEBIBYTE, `${first.rss}, then ${last.rss}`);
      if (name !== 'native') return;
      const { native, open, internalErrors, waiting, fallbacks } = last.stats;
      assert.deepEqual(
        { native, open, internalErrors, waiting, fallbacks },
        {
          native: 0,
          open: 0,
          internalErrors: 0,
          waiting: 0,
          fallbacks: {},
        },
      );
    });

    it('were none, or not yet', async (t) => {
      const { port, ask } = await startProgram(t, name);
      const whole = requestHead();
      const first = await connectFrom(port, 0);
      const clients = [];
      // Slowly, and not to the end.
      for (let length = 1; length < whole.length; length += 7) {
        const client = new RawClient({ host: '127.0.0.1', port });
        await new Promise((resolve) => client.socket.write(whole.slice(0, length), resolve));
        clients.push(client);
      }
      first.socket.write(clientFrame(1, 'are others served?'));
      assert.equal(String((await first.frame())?.payload), 'echo are others served?');
      for (const [i, { socket }] of clients.entries()) {
        if (i % 2 === 0) socket.destroy();
        else socket.resetAndDestroy();
      }
      first.socket.destroy();
      const { alive, seen } = await ask('report');
      assert.deepEqual([alive, seen], [0, 2]);
    });
  });
}

describe('a process without another descriptor', { ...LIMIT, skip: process.platform !== 'linux' }, () => {
  it('leaves connections to ws, and has native ones later', async (t) => {
    const limited = path.join(__dirname, 'limited-node.sh');
    const { port, ask } = await startProgram(t, 'native', { execPath: limited });
    const clients = [await connectFrom(port, 0)];
    for (;;) {
      const client = new RawClient({ host: '127.0.0.1', port });
      client.socket.write(Buffer.concat([Buffer.from(requestHead()), clientFrame(1, 'hello')]));
      // Node closes what it has no descriptor for.
      if (!/^HTTP\/1.1 101 /.test(await client.head())) break;
      assert.equal(String((await client.frame())?.payload), 'echo hello');
      clients.push(client);
      assert.ok(clients.length < 1000);
    }
    const { stats } = await ask('stats');
    assert.ok(stats.fallbacks.failed >= 1, JSON.stringify(stats));
    assert.equal(stats.native + stats.ws, clients.length);
    for (const client of clients) {
      client.socket.write(clientFrame(1, 'still here'));
      assert.equal(String((await client.frame())?.payload), 'echo still here');
    }
    for (const { socket } of clients) socket.destroy();
    assert.equal((await ask('report')).alive, 0);
    await connectFrom(port, 0).then(({ socket }) => socket.unref());
    const { stats: later } = await ask('stats');
    assert.deepEqual([later.native, later.ws], [1, 0]);
  });
});
