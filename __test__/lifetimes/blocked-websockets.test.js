'use strict';

/** Native connections while the event loop of their server stands still. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Emitter } = require('@socket.io/redis-emitter');
const { createClient } = require('redis-6');
const { WebSocket } = require('ws');
const { startRedis } = require('../../dev/redis-server');
const { LIMIT } = require('../support/limits');
const { Collected, HOST, next } = require('../websocket/fixture');

const BROADCASTS = 1000;

describe('while the event loop stands still', LIMIT, () => {
  /** @type {any} */
  let redis;
  /** @type {any} */
  let emitterClient;
  before(async () => {
    redis = await startRedis();
    emitterClient = createClient({ url: redis.url });
    await emitterClient.connect();
  });
  after(async () => {
    await emitterClient?.close();
    await redis?.stop();
  });

  /** A client of engine.io's packets that is in the room, and all that it hears. */
  async function connect(t, port) {
    const client = new WebSocket(`ws://${HOST}:${port}/socket.io/?EIO=4&transport=websocket`);
    t.after(() => client.terminate());
    const heard = new Collected();
    client.on('message', (data, isBinary) => heard.push(isBinary ? data : String(data)));
    await next(client, 'open');
    client.send('40');
    await heard.atLeast(2);
    return { client, heard };
  }

  it('broadcasts of others arrive, pings are answered, and the end is seen later', async (t) => {
    const shared = new SharedArrayBuffer(4);
    const flag = new Int32Array(shared);
    const free = () => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    };
    const worker = new Worker(path.join(__dirname, 'blocked-websockets.js'), {
      workerData: { url: redis.url, shared },
    });
    t.after(async () => {
      free();
      await worker.terminate();
    });
    const said = new Collected();
    worker.on('message', (message) => said.push(message));
    const [{ port }] = await said.atLeast(1);
    const clients = [await connect(t, port), await connect(t, port)];
    const leaver = await connect(t, port);
    const emitter = new Emitter(emitterClient);
    // All are in the room, for the native side too.
    emitter.to('room').emit('ready');
    for (const { heard } of [...clients, leaver]) await heard.atLeast(3);

    worker.postMessage('block');
    await said.atLeast(2);
    leaver.client.terminate();
    for (let i = 0; i < BROADCASTS; i++) emitter.to('room').emit('n', i);
    const numbers = Array.from({ length: BROADCASTS }, (_, i) => `42["n",${i}]`);
    for (const { client, heard } of clients) {
      assert.deepEqual((await heard.atLeast(3 + BROADCASTS)).slice(3), numbers);
      const answer = next(client, 'pong');
      client.ping('there?');
      assert.equal(String((await answer)[0]), 'there?');
      client.send('42["late"]');
    }
    assert.deepEqual(said.items.slice(1), ['blocked']);
    free();
    assert.deepEqual((await said.atLeast(5)).slice(1), ['blocked', 'free', 'late', 'late']);
    // And it goes on.
    emitter.to('room').emit('after');
    for (const { heard } of clients) assert.equal((await heard.atLeast(4 + BROADCASTS)).at(-1), '42["after"]');
  });
});
