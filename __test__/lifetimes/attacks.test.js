'use strict';

/** What clients can make a server hold: its memory, seen from outside, while they do what they can. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');
const { LIMIT, PATIENCE } = require('../support/limits');
const { OPCODES, connectRaw, frame } = require('../support/raw-websocket');
const { Collected } = require('../websocket/fixture');

const PROGRAM = path.join(__dirname, 'attacked-server.js');
const MEBIBYTE = 1024 * 1024;
const MAX_BUFFERED = 4 * MEBIBYTE;
const CONNECTIONS = 1000;
const NUMBERS = 1_000_000;
const ENGINES = ['ws', 'native'];
const HERE = { ...LIMIT, skip: process.platform !== 'linux' };
const MASK = Buffer.alloc(4);

/** A process with a server, and what it says. */
async function startServer(t, engine) {
  const child = fork(PROGRAM, [engine, String(MAX_BUFFERED)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  const said = new Collected();
  child.on('message', (message) => said.push(message));
  const next = async () => (await said.atLeast(1)) && said.items.shift();
  const { port } = await next();
  /** In bytes. */
  const rss = () => {
    const [, kibibytes] = /VmRSS:\s+(\d+) kB/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) * 1024;
  };
  const ask = (/** @type {any} */ message = {}) => (child.send(message), next());
  /** @returns {Promise<any>} the first report of which this is true */
  const reportWhen = async (/** @type {(report: any) => unknown} */ isSo) => {
    for (const limit = AbortSignal.timeout(PATIENCE); ;) {
      const report = await ask();
      if (isSo(report)) return report;
      if (limit.aborted) throw new Error(`it does not come true: ${JSON.stringify(report)}`);
    }
  };
  const connect = async () => {
    const client = await connectRaw({ port });
    t.after(() => client.destroy());
    assert.equal(client.status, 101);
    return client;
  };
  const free = () => /** @type {any} */ (child.stdio[3]).write('x');
  return { ask, connect, free, next, reportWhen, rss };
}

/** @param {any} client @param {string} text that comes back */
async function echo(client, text) {
  client.send(frame(OPCODES.text, text));
  assert.equal(String((await client.next()).payload), text);
}

/** Resolves when no more of what is written leaves; when that is said too early, the test is less of one. */
async function standstill(socket) {
  for (let same = 0, before = -1; same < 50 && socket.writableLength > 0; await sleep(20)) {
    same = socket.writableLength === before ? same + 1 : 0;
    before = socket.writableLength;
  }
}

for (const engine of ENGINES) {
  describe(`a server that is attacked: ${engine}`, HERE, () => {
    it('holds what has come of frames, not what they say that they are', async (t) => {
      const server = await startServer(t, engine);
      const other = await server.connect();
      await echo(other, 'echo first');
      const before = server.rss();
      const clients = [];
      for (let i = 0; i < CONNECTIONS; i++) {
        const client = await server.connect();
        client.send(frame(OPCODES.binary, 'begun', { length: 1_000_000, mask: MASK }));
        clients.push(client);
      }
      await echo(other, 'echo second');
      const grown = server.rss() - before;
      t.diagnostic(`${(grown / CONNECTIONS / 1024).toFixed(1)} KiB for each half of a frame`);
      assert.ok(grown < 64 * MEBIBYTE, `${grown} bytes more`);
      for (const client of clients) client.destroy();
      const { accepted } = await server.reportWhen(({ closed }) => closed === CONNECTIONS);
      assert.equal(accepted, CONNECTIONS + 1);
      await echo(other, 'echo last');
    });

    it('reads no more than it can keep while its event loop stands still, and loses nothing', async (t) => {
      const server = await startServer(t, engine);
      const client = await server.connect();
      await echo(client, 'echo first');
      client.send(frame(OPCODES.text, 'block'));
      assert.equal(await server.next(), 'blocked');
      const before = server.rss();
      for (let from = 0; from < NUMBERS; from += 1000) {
        const frames = Array.from({ length: 1000 }, (_, i) =>
          frame(OPCODES.text, String(from + i).padStart(100, '0'), { mask: MASK }),
        );
        client.send(...frames);
      }
      await standstill(client.socket);
      assert.ok(client.socket.writableLength > 0, 'all of it was taken');
      const grown = server.rss() - before;
      t.diagnostic(`${(grown / MEBIBYTE).toFixed(1)} MiB while it stood still`);
      assert.ok(grown < 64 * MEBIBYTE, `${grown} bytes more`);
      server.free();
      const { misplaced, numbers } = await server.reportWhen((report) => report.numbers >= NUMBERS);
      assert.deepEqual([numbers, misplaced], [NUMBERS, 0]);
      await echo(client, 'echo last');
    });
  });
}

describe('a server with limits for those who do not read', HERE, () => {
  for (const [length, messages] of [
    [65_536, 4000],
    [10, 2_000_000],
  ]) {
    it(`gives up those whom ${messages} messages of ${length} bytes await`, async (t) => {
      const server = await startServer(t, 'native');
      const [slow, fast] = [await server.connect(), await server.connect()];
      slow.socket.pause();
      await echo(fast, 'echo first');
      let received = 0;
      fast.socket.removeAllListeners('data');
      const all = new Promise((resolve) => {
        const size = messages * (length + (length < 126 ? 2 : 10));
        fast.socket.on('data', (data) => (received += data.length) >= size && resolve(received === size));
      });
      const before = server.rss();
      let most = before;
      const done = server.ask({ flood: { messages, length } });
      const isDone = done.then(() => true);
      while (!(await Promise.race([isDone, sleep(10).then(() => false)]))) most = Math.max(most, server.rss());
      t.diagnostic(`${((most - before) / MEBIBYTE).toFixed(1)} MiB at most`);
      assert.equal(await all, true);
      const { stats } = await server.reportWhen(({ closed }) => closed === 1);
      assert.deepEqual([stats.slow, stats.native], [1, 1]);
      assert.ok(most - before < 160 * MEBIBYTE, `${most - before} bytes more`);
    });
  }

  it('gives up those who ping and do not take the answers', async (t) => {
    const server = await startServer(t, 'native');
    const [client, other] = [await server.connect(), await server.connect()];
    client.socket.pause();
    const before = server.rss();
    const pings = Buffer.concat(
      Array.from({ length: 500 }, () => frame(OPCODES.ping, 'x'.repeat(125), { mask: MASK })),
    );
    let isOver = false;
    const over = server.reportWhen(({ closed }) => closed === 1).finally(() => (isOver = true));
    while (!isOver) await Promise.race([over, new Promise((resolve) => client.socket.write(pings, resolve))]);
    const { stats } = await over;
    assert.deepEqual([stats.slow, stats.native], [1, 1]);
    const grown = server.rss() - before;
    t.diagnostic(`${(grown / MEBIBYTE).toFixed(1)} MiB more`);
    assert.ok(grown < 64 * MEBIBYTE, `${grown} bytes more`);
    await echo(other, 'echo last');
  });
});
