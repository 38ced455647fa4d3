'use strict';

/** Processes and threads with native connections, and sockets that come from another process. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const path = require('node:path');
const { describe, it } = require('node:test');
const { Worker } = require('node:worker_threads');
const { WebSocket } = require('ws');
const { io: connect } = require('socket.io-client-4');
const { LIMIT } = require('../support/limits');
const { HOST, next } = require('./fixture');

const program = (/** @type {string} */ name) => path.join(__dirname, 'programs', name);

/** A process, and the port that it tells. */
async function startProgram(t, name, ...args) {
  const child = fork(program(name), args, { silent: true });
  t.after(() => child.kill('SIGKILL'));
  const [{ port }] = await next(child, 'message');
  return { child, port };
}

/** A client, once it has heard its echo. */
async function clientOf(t, port) {
  const client = new WebSocket(`ws://${HOST}:${port}`);
  t.after(() => client.terminate());
  client.on('error', () => {}); // when the process is gone
  await next(client, 'open');
  assert.equal(await echo(client, 'hello'), 'echo hello');
  return client;
}

/** What comes for a message. */
async function echo(client, text) {
  const answer = next(client, 'message');
  client.send(text);
  return String((await answer)[0]);
}

describe('a process with native connections', LIMIT, () => {
  it('lives as long as they do', async (t) => {
    const { child, port } = await startProgram(t, 'server.js');
    const [one, two] = [await clientOf(t, port), await clientOf(t, port)];
    const exited = next(child, 'exit');
    assert.equal(await echo(one, 'close'), 'echo close');
    one.close();
    await next(one, 'close');
    assert.equal(await echo(two, 'still'), 'echo still');
    two.close();
    assert.deepEqual(await exited, [0, null]);
  });

  for (const [message, code] of /** @type {const} */ ([
    ['exit', 7],
    ['crash', 1],
  ])) {
    it(`ends with them by ${message}`, async (t) => {
      const { child, port } = await startProgram(t, 'server.js');
      const clients = [await clientOf(t, port), await clientOf(t, port)];
      const closed = clients.map((client) => next(client, 'close'));
      const exited = next(child, 'exit');
      clients[0].send(message);
      assert.deepEqual(await exited, [code, null]);
      for (const each of closed) assert.equal((await each)[0], 1006);
    });
  }

  it('has threads that end with theirs', async (t) => {
    for (let i = 0; i < 3; i++) {
      const worker = new Worker(program('server.js'));
      t.after(() => worker.terminate());
      const [{ port }] = await next(worker, 'message');
      const client = await clientOf(t, port);
      const closed = next(client, 'close');
      for (let each = 0; each < 1000; each++) client.send(String(each));
      await worker.terminate();
      assert.equal((await closed)[0], 1006);
    }
  });
});

for (const kind of ['sticky', 'shared']) {
  describe(`a cluster with ${kind} sockets`, LIMIT, () => {
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
      // Without sticky sessions, polling does not work.
      if (kind === 'shared' && transports.length > 1) continue;
      it(`has native connections by ${transports.join(', then ')}`, async (t) => {
        const { port } = await startProgram(t, 'cluster.js', kind);
        const clients = [];
        for (let i = 0; i < 4; i++) {
          const client = connect(`http://${HOST}:${port}`, { transports, forceNew: true, reconnection: false });
          t.after(() => client.disconnect());
          await next(client, 'connect');
          const { engine } = client.io;
          if (engine.transport.name !== 'websocket') await next(engine, 'upgrade');
          clients.push(client);
        }
        for (const client of clients) {
          const stats = await new Promise((resolve) => client.emit('stats', resolve));
          const { native, ws, fallbacks, count, address } = /** @type {any} */ (stats);
          assert.ok(native >= 1 && native <= 4);
          assert.deepEqual([ws, fallbacks, address], [0, {}, HOST]);
          // The HTTP server has those that it accepted itself.
          if (kind === 'shared') assert.ok(count >= native, `${count} of ${native}`);
        }
      });
    }
  });
}
