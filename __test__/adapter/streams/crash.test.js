'use strict';

/** Servers that end without a goodbye: what their clients find on another one. */

process.env.ADAPTER_WIRE = 'streams';

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { decode } = require('notepack.io');
const { Manager } = require('socket.io-client-4');
const { withAdapterCluster } = require('../../support/adapter-cluster');
const { LIMIT } = require('../../support/limits');
const { comeBack, withoutOffsets } = require('../../support/recovery');
const { until } = require('../../support/load');

const RECOVERY = { serverOptions: { connectionStateRecovery: {} } };

/** A client of a server in another process. */
async function connect(port) {
  const manager = new Manager(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false });
  const socket = manager.socket('/');
  await new Promise((resolve) => socket.once('connect', () => resolve(undefined)));
  return { socket, nsp: '/', id: socket.id, close: async () => manager._close() };
}

/** @param {any} redis @param {string} pid */
async function sessionOf(redis, pid) {
  const text = await redis.command('GET', `sio:session:${pid}`);
  return text === null ? null : decode(Buffer.from(text, 'base64'));
}

/**
 * @param {Record<string, any>} opts
 * @param {(cluster: any, child: any, client: any) => Promise<void>} body
 */
async function withChild(opts, body) {
  await withAdapterCluster(['native'], { ...RECOVERY, opts }, async (cluster) => {
    const args = [cluster.redis.url, JSON.stringify(opts)];
    const child = fork(path.join(__dirname, 'children/server.js'), args);
    try {
      const [{ port }] = await once(child, 'message');
      const client = cluster.keep(await connect(port));
      await body(cluster, child, client);
    } finally {
      child.kill('SIGKILL');
    }
  });
}

describe('a server that is killed', LIMIT, () => {
  it('leaves sessions with rooms and data, where these are always written', async () => {
    await withChild({ persistSessions: 'always' }, async (cluster, child, client) => {
      const { pid } = /** @type {any} */ ({ pid: client.socket._pid });
      await client.socket.emitWithAck('join', 'room');
      await client.socket.emitWithAck('carry', { list: [1, 'ä'] });
      child.send([null, 'first']);
      await once(client.socket, 'first');
      await until('the session', async () => {
        const session = await sessionOf(cluster.redis, pid);
        return session?.rooms.includes('room') && session.data.carried !== undefined;
      });
      const gone = once(client.socket, 'disconnect');
      child.kill('SIGKILL');
      await gone;
      const [node] = cluster.nodes;
      node.io.to('room').emit('missed', 1);
      node.io.to('another').emit('not');
      node.io.to(client.id).emit('missed', 2);
      await until('the entries', async () => (await cluster.redis.command('XLEN', 'socket.io')) === 4);
      const after = await comeBack(cluster, client, node);
      assert.equal(after.socket.recovered, true);
      assert.equal(after.id, client.id);
      assert.deepEqual(after.peer.data, { carried: { list: [1, 'ä'] } });
      assert.deepEqual([...after.peer.rooms].sort(), [client.id, 'room'].sort());
      node.io.to('room').emit('end');
      assert.deepEqual(withoutOffsets(await after.until('end')), [
        ['missed', 1],
        ['missed', 2],
      ]);
    });
  });

  it('leaves none, where these are written when a client goes', async () => {
    await withChild({}, async (cluster, child, client) => {
      child.send([null, 'first']);
      await once(client.socket, 'first');
      const gone = once(client.socket, 'disconnect');
      child.kill('SIGKILL');
      await gone;
      const after = await comeBack(cluster, client, cluster.nodes[0]);
      assert.equal(after.socket.recovered, false);
    });
  });
});

describe('sessions that are always written', LIMIT, () => {
  it('end with a client that says goodbye', async () => {
    const settings = { ...RECOVERY, opts: { persistSessions: 'always' } };
    await withAdapterCluster(['native'], settings, async (cluster) => {
      const client = await cluster.connect(cluster.nodes[0]);
      const { _pid: pid } = /** @type {any} */ (client.socket);
      await until('the session', () => sessionOf(cluster.redis, pid));
      client.socket.disconnect();
      await until('the session', async () => (await sessionOf(cluster.redis, pid)) === null);
    });
  });

  it('belong to the server that a client is on, although another one has not noticed that it is gone', async () => {
    const settings = { ...RECOVERY, opts: { persistSessions: 'always' } };
    await withAdapterCluster(['native', 'native'], settings, async (cluster) => {
      const [a, b] = cluster.nodes;
      const before = await cluster.connect(a);
      const { _pid: pid } = /** @type {any} */ (before.socket);
      a.io.emit('first');
      await before.event('first');
      await until('the session', () => sessionOf(cluster.redis, pid));
      const after = await comeBack(cluster, before, b);
      assert.equal(after.socket.recovered, true);
      assert.equal(await before.gone(), 'server namespace disconnect');
      after.peer.join('room');
      await until('the session', async () => (await sessionOf(cluster.redis, pid))?.rooms.includes('room'));
    });
  });
});
