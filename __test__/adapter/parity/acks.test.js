'use strict';

/** Broadcasts that every client acknowledges, on whatever node it is. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { describe } = require('node:test');
const { PAIRS, SENDING, adapterTest, describeAdapterClusters } = require('../../support/adapter-cluster');
const { STREAMS } = require('../../support/adapter-node');
const { LIMIT, ANSWER, SHORT } = require('../../support/limits');

/** @param {any[]} values */
const sorted = (values) => [...values].sort();

describeAdapterClusters(
  'acknowledgements',
  SENDING,
  (cluster) => {
    /** Clients on both nodes that answer `ask`. */
    async function clients() {
      const [a, b] = cluster.nodes;
      const list = [await cluster.connect(a), await cluster.connect(b), await cluster.connect(b)];
      list.forEach((client, i) => client.answers('ask', (...args) => [`client ${i}`, ...args]));
      return list;
    }

    adapterTest('everybody answers', async () => {
      const [a] = cluster.nodes;
      await clients();
      const responses = await a.io.timeout(ANSWER).emitWithAck('ask', 1, { two: [2] });
      assert.deepEqual(
        sorted(responses),
        [0, 1, 2].map((i) => [`client ${i}`, 1, { two: [2] }]),
      );
    });

    adapterTest('with a callback', async () => {
      const [a] = cluster.nodes;
      await clients();
      const [error, responses] = await new Promise((resolve) => {
        a.io.timeout(ANSWER).emit('ask', (...result) => resolve(result));
      });
      assert.equal(error, null);
      assert.deepEqual(sorted(responses), [['client 0'], ['client 1'], ['client 2']]);
    });

    adapterTest('of those in rooms, but for others', async () => {
      const [a] = cluster.nodes;
      const [here, left, right] = await clients();
      await cluster.join(here, 'room');
      await cluster.join(left, 'room', 'left');
      await cluster.join(right, 'room', 'right');
      const ask = (operator) => operator.timeout(ANSWER).emitWithAck('ask').then(sorted);
      assert.deepEqual(await ask(a.io.to('room')), [['client 0'], ['client 1'], ['client 2']]);
      assert.deepEqual(await ask(a.io.to('left')), [['client 1']]);
      assert.deepEqual(await ask(a.io.to(['left', 'right'])), [['client 1'], ['client 2']]);
      assert.deepEqual(await ask(a.io.except('left')), [['client 0'], ['client 2']]);
      assert.deepEqual(await ask(here.peer.broadcast), [['client 1'], ['client 2']]);
      assert.deepEqual(await ask(a.io.to('nobody')), []);
      assert.deepEqual(await ask(a.io.to(right.id)), [['client 2']]);
    });

    adapterTest('in a namespace, where nobody else is', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/chat');
      there.answers('ask', () => 'there');
      assert.deepEqual(await a.io.of('/chat').timeout(ANSWER).emitWithAck('ask'), ['there']);
      assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), []);
    });

    adapterTest('binary questions and answers', async () => {
      const [a, b] = cluster.nodes;
      const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
      for (const client of [here, there])
        client.answers('ask', (part, { deep }) => ({ deep: [Buffer.concat([part, deep])], part }));
      const part = Buffer.from([0, 255]);
      const expected = { deep: [Buffer.from([0, 255, 1, 2])], part };
      const responses = await a.io.timeout(ANSWER).emitWithAck('ask', part, { deep: new Uint8Array([1, 2]) });
      assert.deepEqual(responses, [expected, expected]);
    });

    adapterTest('answers of all sorts', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b);
      for (const answer of [
        null,
        '',
        0,
        'ä"\\',
        -1.5,
        true,
        [],
        [[1], {}],
        { a: { b: null } },
        '{"type":9}',
        2 ** 53,
      ]) {
        there.socket.removeAllListeners('ask');
        there.answers('ask', () => answer);
        assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), [answer]);
      }
      there.socket.removeAllListeners('ask');
      there.socket.on('ask', (done) => done());
      // The parser of the official adapter on streams has nothing for it.
      const nothing = STREAMS && !b.native ? null : undefined;
      assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), [nothing]);
      there.socket.removeAllListeners('ask');
      there.socket.on('ask', (done) => done('first', 'second'));
      assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), ['first']);
    });

    adapterTest('many questions at once', async () => {
      const [a, b] = cluster.nodes;
      await clients();
      const asked = Array.from({ length: 50 }, (_, i) =>
        [a, b].map((node) => node.io.timeout(ANSWER).emitWithAck('ask', i)),
      );
      for (const [i, both] of asked.entries()) {
        for (const responses of await Promise.all(both)) {
          assert.deepEqual(
            sorted(responses),
            [0, 1, 2].map((client) => [`client ${client}`, i]),
          );
        }
      }
    });

    adapterTest('over polling', async () => {
      const [a, b] = cluster.nodes;
      const there = await cluster.connect(b, '/', { transports: ['polling'] });
      there.answers('ask', (part) => [part, Buffer.from('answer')]);
      assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask', Buffer.from('question')), [
        [Buffer.from('question'), Buffer.from('answer')],
      ]);
    });
  },
  { namespaces: ['/chat'] },
);

/** @param {import('../../support/adapter-cluster').AdapterCluster} cluster */
function declareInTime(cluster) {
  adapterTest('who does not answer in time is missing, who answers too late is not heard', async () => {
    const [a, b] = cluster.nodes;
    const clients = [await cluster.connect(a), await cluster.connect(b), await cluster.connect(b)];
    clients[0].answers('ask', () => 'here');
    clients[1].answers('ask', () => 'there');
    /** @type {any} */
    let late = null;
    clients[2].socket.on('ask', (done) => {
      late = done;
    });
    let calls = 0;
    const error = await new Promise((resolve) => {
      a.io.timeout(SHORT).emit('ask', (failure, responses) => {
        calls++;
        resolve({ failure, responses });
      });
    });
    assert.equal(error.failure.message, 'operation has timed out');
    assert.deepEqual(sorted(error.responses), ['here', 'there']);
    const acknowledged = once(clients[2].peer.conn, 'data');
    late('too late');
    await acknowledged;
    clients[2].socket.removeAllListeners('ask');
    clients[2].answers('ask', () => 'now');
    assert.deepEqual(sorted(await a.io.timeout(ANSWER).emitWithAck('ask')), ['here', 'now', 'there']);
    assert.equal(calls, 1);
  });

  adapterTest('who leaves instead of answering is waited for in vain', async () => {
    const [a, b] = cluster.nodes;
    const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
    here.answers('ask', () => 'here');
    there.socket.on('ask', () => there.socket.disconnect());
    await assert.rejects(a.io.timeout(SHORT).emitWithAck('ask'), {
      message: 'operation has timed out',
      responses: ['here'],
    });
    await there.gone();
    assert.deepEqual(await a.io.timeout(ANSWER).emitWithAck('ask'), ['here']);
  });

  adapterTest('nobody answers', async () => {
    const [a, b] = cluster.nodes;
    await cluster.connect(b);
    await assert.rejects(a.io.timeout(100).emitWithAck('ask'), { message: 'operation has timed out', responses: [] });
  });

  adapterTest('local: the others are counted, but not asked', async () => {
    const [a, b] = cluster.nodes;
    const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
    here.answers('ask', () => 'here');
    there.answers('ask', () => 'there');
    await assert.rejects(a.io.local.timeout(SHORT).emitWithAck('ask'), {
      message: 'operation has timed out',
      responses: ['here'],
    });
    a.io.emit('end');
    assert.deepEqual(await there.until('end'), []);
  });

  adapterTest('onAnyOutgoing hears the question', async () => {
    const [a, b] = cluster.nodes;
    const there = await cluster.connect(b);
    there.answers('ask', () => 'there');
    const heard = [];
    there.peer.onAnyOutgoing((...args) => heard.push(args));
    await a.io.timeout(ANSWER).emitWithAck('ask', 1);
    assert.deepEqual(heard, [['ask', 1]]);
  });
}

// They mostly wait, so they wait together.
describe('acknowledgements', { concurrency: true, ...LIMIT }, () =>
  describeAdapterClusters('in time', PAIRS, declareInTime),
);

for (const specific of [
  [true, true],
  [true, false],
  [false, true],
]) {
  const title = `acknowledgements, publishOnSpecificResponseChannel ${specific.join(' and ')}`;
  describeAdapterClusters(
    title,
    PAIRS,
    (cluster) => {
      adapterTest('everybody answers both', async () => {
        const [a, b] = cluster.nodes;
        const [here, there] = [await cluster.connect(a), await cluster.connect(b)];
        for (const client of [here, there]) client.answers('ask', (part) => [client === here, part]);
        const part = Buffer.from('part');
        for (const node of [a, b]) {
          const responses = await node.io.timeout(ANSWER).emitWithAck('ask', part);
          assert.deepEqual(sorted(responses), [
            [false, part],
            [true, part],
          ]);
        }
      });
    },
    specific.map((publishOnSpecificResponseChannel) => ({ opts: { publishOnSpecificResponseChannel } })),
  );
}
