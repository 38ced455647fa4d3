'use strict';

/** Servers that talk to each other. */

const assert = require('node:assert/strict');
const { describe } = require('node:test');
const {
  PAIRS,
  adapterTest,
  describeAdapterClusters,
  skipReason,
  withAdapterCluster,
} = require('../../support/adapter-cluster');
const { SHARDED, STREAMS } = require('../../support/adapter-node');
const { Inbox } = require('../../support/client-inbox');
const { LIMIT, SHORT } = require('../../support/limits');

const DATE = new Date('2026-11-24T05:06:07.089Z');

/**
 * What a server hears, for the length of a test.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {import('../../support/adapter-node').AdapterNode} node
 * @param {string} nsp
 * @param {...string} events
 */
function listen(cluster, node, nsp, ...events) {
  const inbox = new Inbox();
  const namespace = node.io.of(nsp);
  for (const event of events) {
    const listener = (...args) => inbox.push([event, ...args]);
    namespace.on(event, listener);
    cluster.keep({ close: async () => namespace.off(event, listener) });
  }
  return {
    next: () => inbox.take(() => true),
    until: async (event) => (await inbox.through(([name]) => name === event)).slice(0, -1),
  };
}

/**
 * Has a server answer, for the length of a test.
 * @param {import('../../support/adapter-cluster').AdapterCluster} cluster
 * @param {import('../../support/adapter-node').AdapterNode} node
 * @param {(...args: any[]) => void} listener
 * @param {string} [nsp]
 */
function answer(cluster, node, listener, nsp = '/') {
  node.io.of(nsp).on('ask', listener);
  cluster.keep({ close: async () => node.io.of(nsp).off('ask', listener) });
}

describeAdapterClusters(
  'serverSideEmit',
  PAIRS,
  (cluster) => {
    adapterTest('the others hear it, in order; the sender does not', async () => {
      const [a, b] = cluster.nodes;
      const own = listen(cluster, a, '/', 'news', 'end', 'back');
      const there = listen(cluster, b, '/', 'news', 'end');
      const expected = [];
      for (let i = 0; i < 100; i++) {
        assert.equal(a.io.serverSideEmit('news', i, { i: ['ä'] }, null), true);
        expected.push(['news', i, { i: ['ä'] }, null]);
      }
      a.io.serverSideEmit('end');
      assert.deepEqual(await there.until('end'), expected);
      b.io.serverSideEmit('back');
      assert.deepEqual(await own.until('back'), []);
    });

    // On streams they are MessagePack.
    (STREAMS ? () => {} : adapterTest)('what JSON does to the arguments', async () => {
      const [a, b] = cluster.nodes;
      const there = listen(cluster, b, '/', 'news');
      a.io.serverSideEmit('news', DATE, undefined, NaN, { u: undefined, n: 1e21 });
      a.io.serverSideEmit('news', Buffer.from([1]));
      assert.deepEqual(await there.next(), ['news', DATE.toISOString(), null, null, { n: 1e21 }]);
      // Sharded channels have MessagePack for it.
      assert.deepEqual(await there.next(), ['news', SHARDED ? Buffer.from([1]) : { type: 'Buffer', data: [1] }]);
    });

    adapterTest('in a namespace', async () => {
      const [a, b] = cluster.nodes;
      const main = listen(cluster, b, '/', 'news', 'end');
      const chat = listen(cluster, b, '/chat', 'news');
      a.io.of('/chat').serverSideEmit('news', 'chat');
      assert.deepEqual(await chat.next(), ['news', 'chat']);
      a.io.serverSideEmit('end');
      assert.deepEqual(await main.until('end'), []);
    });

    adapterTest('an answer, with a callback', async () => {
      const [a, b] = cluster.nodes;
      answer(cluster, b, (one, two, done) => done({ sum: [one, two] }));
      answer(cluster, a, () => assert.fail('it has heard itself'));
      const result = await new Promise((resolve) => {
        a.io.serverSideEmit('ask', 1, 'zwei', (...args) => resolve(args));
      });
      assert.deepEqual(result, [null, [{ sum: [1, 'zwei'] }]]);
    });

    adapterTest('an answer, with a promise, also late', async () => {
      const [a, b] = cluster.nodes;
      answer(cluster, b, (done) => setImmediate(done, 'late'));
      assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), ['late']);
    });

    adapterTest('answers of all sorts; only the first counts, and its first argument', async () => {
      const [a, b] = cluster.nodes;
      answer(cluster, b, (value, done) => {
        done(value, 'second argument');
        done('second call');
      });
      for (const value of [null, 0, '', false, 'ä"\\', [], { a: [{}] }, -1.5]) {
        assert.deepEqual(await a.io.serverSideEmitWithAck('ask', value), [value]);
      }
      answer(cluster, b, (done) => done(), '/chat');
      assert.deepEqual(await a.io.of('/chat').serverSideEmitWithAck('ask'), [STREAMS && !b.native ? null : undefined]);
    });

    adapterTest('many questions at once, both ways', async () => {
      const [a, b] = cluster.nodes;
      for (const node of [a, b]) answer(cluster, node, (i, done) => done([node === a ? 'a' : 'b', i]));
      const asked = Array.from({ length: 100 }, (_, i) =>
        [a, b].map((node) => node.io.serverSideEmitWithAck('ask', i)),
      );
      for (const [i, both] of asked.entries()) {
        assert.deepEqual(await Promise.all(both), [[['b', i]], [['a', i]]]);
      }
    });

    adapterTest('reserved names are refused', async () => {
      const [a] = cluster.nodes;
      assert.throws(() => a.io.serverSideEmit('connection'), { message: '"connection" is a reserved event name' });
    });
  },
  { namespaces: ['/chat'] },
);

describe('serverSideEmit in larger and smaller clusters', { concurrency: true, ...LIMIT }, () => {
  for (const [sender, receiver] of PAIRS) {
    const suite = { skip: skipReason([sender, receiver]) };
    describe(`${sender} → ${receiver}`, suite, () => {
      adapterTest('alone, nobody is asked', () =>
        withAdapterCluster([sender], {}, async ({ nodes: [a] }) => {
          a.io.on('ask', () => assert.fail('it has heard itself'));
          assert.deepEqual(await a.io.serverSideEmitWithAck('ask'), []);
        }),
      );

      adapterTest('everybody answers, and is heard once', () =>
        withAdapterCluster([sender, receiver, receiver, sender], {}, async ({ nodes }) => {
          nodes.forEach((node, i) =>
            node.io.on('ask', (x, done) => {
              done(`${i}${x}`);
              done('again');
            }),
          );
          for (const mark of ['!', '?']) {
            const answers = await nodes[0].io.serverSideEmitWithAck('ask', mark);
            assert.deepEqual(answers.sort(), [`1${mark}`, `2${mark}`, `3${mark}`]);
          }
        }),
      );

      adapterTest('who does not answer in time is missing', async () => {
        const kinds = [sender, receiver, receiver];
        await withAdapterCluster(kinds, { opts: { requestsTimeout: SHORT } }, async ({ nodes: [a, b, c] }) => {
          b.io.on('ask', (done) => done('b'));
          let calls = 0;
          const late = new Promise((resolve) => {
            c.io.on('ask', resolve);
          });
          const [error, responses] = await new Promise((resolve) => {
            a.io.serverSideEmit('ask', (...result) => {
              calls++;
              resolve(result);
            });
          });
          assert.equal(error.message, 'timeout reached: only 1 responses received out of 2');
          assert.deepEqual(responses, ['b']);
          (await late)('too late');
          c.io.removeAllListeners('ask');
          c.io.on('ask', (done) => done('c'));
          assert.deepEqual((await a.io.serverSideEmitWithAck('ask')).sort(), ['b', 'c']);
          assert.equal(calls, 1);
        });
      });

      adapterTest('a promise is rejected, with the answers', async () => {
        await withAdapterCluster([sender, receiver], { opts: { requestsTimeout: 100 } }, async ({ nodes: [a] }) => {
          await assert.rejects(a.io.serverSideEmitWithAck('ask'), {
            message: 'timeout reached: only 0 responses received out of 1',
            responses: [],
          });
        });
      });
    });
  }
});
