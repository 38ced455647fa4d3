'use strict';

/**
 * Entries, sessions and offsets that no server makes: nothing is thrown, what is good among them still arrives, in
 * order, and clients that come back get a session of their own.
 */

process.env.ADAPTER_WIRE = 'streams';

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { describe, it } = require('node:test');
const notepack = require('notepack.io');
const messagePackParser = require('socket.io-msgpack-parser');
const { encodeCommand } = require('../../../dev/resp');
const { withAdapterCluster } = require('../../support/adapter-cluster');
const { LIMIT, SHORT } = require('../../support/limits');
const { until } = require('../../support/load');
const { breakOff, comeBack, withoutOffsets } = require('../../support/recovery');
const { oneAtATime } = require('../faults/hostile-messages');

const RECOVERY = { connectionStateRecovery: {} };
const BATCH = 1000;
const packet = { type: 2, data: ['evil', 1, { a: [Buffer.from('x')] }] };
const opts = { rooms: ['here', 'there'], except: ['elsewhere'], flags: { volatile: false, compress: true } };
const nobody = { ...opts, rooms: ['nobody'] };
const GOOD = { uid: 'peer', nsp: '/', type: '3' };

/** The field `data` of what hostile entries hold. @returns {Generator<[type: string, data: Buffer | string]>} */
function* hostileData() {
  for (const message of oneAtATime([{ packet, opts }])) yield ['3', asData(message)];
  for (const type of ['4', '5']) {
    for (const message of oneAtATime([{ opts: nobody, rooms: ['joined', 5] }])) yield [type, asData(message)];
  }
}

/** Whether a message beside binary holds what stands in for an attachment, see `../sharded/hostile.test.js`. */
function isPlaceholder(/** @type {string | Buffer} */ data) {
  return data[0] !== '{' && Buffer.from(data.toString(), 'base64').includes('_placeholder');
}

/** @param {Buffer} message */
function asData(message) {
  return message[0] === 0x7b ? message : message.toString('base64');
}

/** @returns {Generator<(string | Buffer)[]>} all fields of hostile entries */
function* hostileEntries() {
  for (const [type, data] of hostileData()) {
    if (!isPlaceholder(data)) yield ['uid', 'peer', 'nsp', '/', 'type', type, 'data', data];
  }
  const data = JSON.stringify({ packet: { type: 2, data: ['evil'] }, opts: { rooms: ['nobody'], except: [] } });
  const wrongs = [
    '',
    ' ',
    '-1',
    '3.5',
    '99',
    'NaN',
    '3 ',
    '03',
    '[]',
    '1e400',
    'x'.repeat(100_000),
    Buffer.from([0xff]),
  ];
  for (const field of ['uid', 'nsp', 'type', 'data']) {
    const whole = { ...GOOD, data };
    yield Object.entries(whole).flatMap(([name, value]) => (name === field ? [] : [name, value]));
    for (const wrong of wrongs) yield Object.entries({ ...whole, [field]: wrong }).flat();
    yield [...Object.entries(whole).flat(), field, 'x', field, data];
  }
  for (const type of ['7', '8', '9', '10', '11', '12', '0', '1', '2']) {
    yield ['uid', 'peer', 'nsp', '/', 'type', type, 'data', data];
    yield ['uid', 'peer', 'nsp', '/', 'type', type];
  }
  yield ['x', 'y'];
}

/** Sends entries by the thousand, each with a good one behind it, which is waited for. */
async function flood(cluster, client, entries) {
  const socket = net.connect(cluster.redis.port, '127.0.0.1').resume();
  await once(socket, 'connect');
  let sent = 0;
  const add = (/** @type {any[]} */ fields) => encodeCommand('XADD', 'socket.io', '*', ...fields);
  const send = async (/** @type {any[][]} */ batch) => {
    sent += batch.length;
    const good = { packet: { type: 2, data: ['good', sent] }, opts: { rooms: [], except: [] } };
    const data = sent % 2 ? JSON.stringify(good) : notepack.encode(good).toString('base64');
    socket.write(Buffer.concat([...batch, ['uid', 'peer', 'nsp', '/', 'type', '3', 'data', data]].map(add)));
    await client?.until('good');
  };
  try {
    const batch = [];
    for (const fields of entries) {
      batch.push(fields);
      if (batch.length === BATCH) await send(batch.splice(0));
    }
    await send(batch);
  } finally {
    socket.end();
  }
  return sent;
}

describe('hostile entries', LIMIT, () => {
  for (const [title, parser, server] of /** @type {[string, any, any][]} */ ([
    ['of sockets whose packets are text', undefined, {}],
    ['of sockets whose packets are MessagePack', messagePackParser, {}],
    ['of sockets that can be recovered', undefined, RECOVERY],
  ])) {
    it(title, async () => {
      const serverOptions = { ...server, ...(parser && { parser }) };
      await withAdapterCluster(['native'], { opts: { requestsTimeout: SHORT }, serverOptions }, async (cluster) => {
        const [node] = cluster.nodes;
        const client = await cluster.connect(node, '/', { parser });
        await cluster.join(client, 'here');
        const sent = await flood(cluster, client, hostileEntries());
        assert.equal(client.peer.connected, true);
        const { malformed, internalErrors } = node.adapter().stats();
        assert.ok(malformed > sent / 10, `${malformed} of ${sent} are malformed`);
        assert.equal(internalErrors, 0);
        assert.deepEqual([...new Set(node.problems)], ['ERR_MALFORMED_MESSAGE']);
      });
    });
  }

  it('that a client has missed', async () => {
    await withAdapterCluster(['native'], { serverOptions: RECOVERY }, async (cluster) => {
      const [node] = cluster.nodes;
      const before = await cluster.connect(node);
      await cluster.join(before, 'here');
      node.io.emit('first');
      await before.event('first');
      await breakOff(cluster, before);
      await flood(cluster, null, hostileEntries());
      node.io.emit('last');
      const after = await comeBack(cluster, before, node);
      assert.equal(after.socket.recovered, true);
      const events = withoutOffsets(await after.until('last'));
      assert.ok(events.every(([name]) => name !== 'connect' && name !== 'disconnect'));
      assert.equal(events.filter(([name]) => name === 'good').length > 1, true);
      assert.equal(node.adapter().stats().internalErrors, 0);
    });
  });
});

describe('hostile sessions and offsets', LIMIT, () => {
  const session = { sid: 'AAAAAAAAAAAAAAAAAAAA', pid: 'pid', rooms: ['room'], data: {} };
  const base64 = (/** @type {any} */ value) => notepack.encode(value).toString('base64');
  const deep = () => {
    let value = {};
    for (let i = 0; i < 1000; i++) value = { value };
    return value;
  };
  /** @type {[string, string | Buffer][]} */
  const SESSIONS = [
    ['nothing', ''],
    ['no base64', '\0\u00ff!!!'],
    ['bytes', Buffer.from([0xff, 0xfe, 0])],
    ['an announced length', Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff]).toString('base64')],
    ['a text', base64('session')],
    ['null', base64(null)],
    ['a list', base64([session])],
    ['another pid', base64({ ...session, pid: 'another' })],
    ['no id', base64({ ...session, sid: undefined })],
    ['an object for an id', base64({ ...session, sid: { toString: 'x' } })],
    ['a long id', base64({ ...session, sid: 'x'.repeat(10_000) })],
    ['no rooms', base64({ ...session, rooms: null })],
    ['rooms that are objects', base64({ ...session, rooms: [{}] })],
    ['too many rooms', base64({ ...session, rooms: Array.from({ length: 10_001 }, (_, i) => i) })],
    ['data that is deep', base64({ ...session, data: deep() })],
    ['half of one', base64(session).slice(0, 20)],
    ['JSON', JSON.stringify(session)],
  ];

  it('give a session of its own', async () => {
    await withAdapterCluster(['native'], { serverOptions: RECOVERY }, async (cluster) => {
      const [node] = cluster.nodes;
      const before = await cluster.connect(node);
      node.io.emit('first');
      await before.event('first');
      for (const [title, value] of SESSIONS) {
        await cluster.redis.command('SET', 'sio:session:pid', value);
        const after = await comeBack(cluster, before, node, { pid: 'pid' });
        assert.equal(after.socket.recovered, false, title);
      }
      await cluster.redis.command('DEL', 'sio:session:pid');
      await cluster.redis.command('HSET', 'sio:session:pid', 'a', 'b');
      assert.equal((await comeBack(cluster, before, node, { pid: 'pid' })).socket.recovered, false);
      await cluster.redis.command('SET', 'sio:session:pid', base64(session));
      assert.equal((await comeBack(cluster, before, node, { pid: 'pid' })).socket.recovered, true);
      assert.equal(node.adapter().stats().internalErrors, 0);
    });
  });

  it('are refused before Redis is asked', async () => {
    await withAdapterCluster(['native'], { serverOptions: RECOVERY }, async (cluster) => {
      const adapter = cluster.nodes[0].adapter();
      await cluster.redis.command('SET', 'sio:session:pid', base64(session));
      const offsets = [
        '',
        '-',
        '+',
        '$',
        '1',
        '1-',
        '-1',
        '1-1-1',
        '(1-1',
        '1-1 ',
        '１-１',
        '9'.repeat(40) + '-1',
        null,
        7,
        {},
      ];
      for (const offset of offsets) await assert.rejects(adapter.restoreSession('pid', offset), /invalid offset/);
      for (const pid of ['', 'x'.repeat(100), null, 7, {}]) {
        await assert.rejects(adapter.restoreSession(pid, '1-1'), /invalid session/);
      }
      await until('the session', () => cluster.redis.command('EXISTS', 'sio:session:pid'));
      // Larger than Redis takes.
      await assert.rejects(adapter.restoreSession('pid', `${'9'.repeat(20)}-${'9'.repeat(20)}`));
    });
  });
});
