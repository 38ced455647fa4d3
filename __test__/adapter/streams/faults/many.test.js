'use strict';

/** Many clients of a server that was killed come back to others at once. */

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { describe, it } = require('node:test');
const { setTimeout: delay } = require('node:timers/promises');
const { Manager } = require('socket.io-client-4');
const { LIMIT } = require('../../../support/limits');
const { until } = require('../../../support/load');
const { comeBack, withoutOffsets } = require('../../../support/recovery');
const { createFixture, range } = require('../../faults/fixture');
const { RECOVERY, streamsNode } = require('./fixture');

const COUNT = 200;
const OPTS = { persistSessions: 'always' };

/** A client of a server in another process, which is in a room of its own. */
async function connect(fixture, port, room) {
  const manager = new Manager(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false });
  fixture.after(() => manager._close());
  const socket = manager.socket('/');
  /** @type {any[][]} */
  const heard = [];
  socket.onAny((...event) => heard.push(event));
  await once(socket, 'connect');
  await socket.emitWithAck('join', room);
  return { socket, nsp: '/', id: socket.id, heard };
}

/** The numbers of events, by their names. @param {any[][]} events @param {string} name */
const numbersOf = (events, name) =>
  withoutOffsets(events)
    .filter((event) => event[0] === name)
    .map(([, number]) => number);

/** In which rooms clients get this number. @param {number} number */
const roomsOf = (number) => new Set([number % COUNT, (number * 7) % COUNT]);
/** @param {number[]} numbers */
const sorted = (numbers) => [...numbers].sort((one, other) => one - other);

describe('a server with many clients is killed', LIMIT, () => {
  it('all of them find their sessions on others, with all that they missed, once', async (t) => {
    const fixture = await createFixture(t);
    const nodes = [];
    for (let i = 0; i < 2; i++) nodes.push(await streamsNode(fixture, { server: RECOVERY, ...OPTS }));
    const child = fork(path.join(__dirname, '../children/server.js'), [fixture.redis.url, JSON.stringify(OPTS)]);
    fixture.after(() => child.kill('SIGKILL'));
    const [{ port }] = await once(child, 'message');
    const clients = [];
    for (let i = 0; i < COUNT; i++) clients.push(await connect(fixture, port, `room${i}`));
    child.send([null, 'first']);
    await until('the first event', () => clients.every(({ heard }) => heard.some(([name]) => name === 'first')));
    await until('the sessions', async () => (await fixture.redis.command('KEYS', 'sio:session:*')).length === COUNT);
    let [sent, isOver] = [0, false];
    const sending = (async () => {
      for (; !isOver; await delay(1)) {
        const { io } = nodes[sent % 2];
        io.emit('all', ++sent);
        for (const i of roomsOf(sent)) io.to(`room${i}`).emit('own', sent);
      }
    })();
    await until('news', () => sent > 50);
    const gone = clients.map(({ socket }) => once(socket, 'disconnect'));
    child.kill('SIGKILL');
    await Promise.all(gone);
    const before = sent;
    await until('more to be missed', () => sent > before + 50);
    const keeper = { keep: (client) => (fixture.after(() => client.manager._close()), client) };
    const back = await Promise.all(
      clients.map((client, i) => comeBack(keeper, /** @type {any} */ (client), nodes[i % 2])),
    );
    isOver = true;
    await sending;
    for (const { io } of nodes) io.emit('end');
    const numbers = range(1, sent);
    for (const [i, client] of back.entries()) {
      assert.equal(client.socket.recovered, true, `client ${i}`);
      assert.equal(client.id, clients[i].id);
      assert.ok(client.peer.rooms.has(`room${i}`));
      const events = [...clients[i].heard, ...(await client.until('end')), ...(await client.until('end'))];
      assert.deepEqual(sorted(numbersOf(events, 'all')), numbers, `client ${i}`);
      const own = numbers.filter((number) => roomsOf(number).has(i));
      assert.deepEqual(sorted(numbersOf(events, 'own')), own, `client ${i}`);
    }
    for (const node of nodes) assert.equal(node.adapter().stats().internalErrors, 0);
  });
});
