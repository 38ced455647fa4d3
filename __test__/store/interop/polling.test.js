'use strict';

/** One client polls both nodes by turns, and posts to either. */

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { describePairs } = require('../../support/store-cluster');

const WORDS = ['ünï', '🦀', '\ufffd5\ufffd'];
const ECHO = JSON.stringify({ name: 'echo', args: WORDS });
const NOTE = JSON.stringify({ name: 'note', args: WORDS });

describePairs('polling', (cluster) => {
  it('what is said between two polls waits on both nodes, and comes once', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    await a.run('sockets', ['emit', 'news', ...WORDS]);
    await b.run('sockets', ['emit', 'news', 2]);
    await Promise.all([cluster.barrier(a), cluster.barrier(b)]);
    for (const node of [a, b]) {
      assert.equal((await node.call('state', client.id)).waiting.length, 2, node.name);
    }
    await cluster.fetch(a, client);
    for (const node of [a, b]) {
      assert.deepEqual((await node.call('state', client.id)).waiting, [], node.name);
    }
    await b.run('sockets', ['emit', 'end']);
    await cluster.fetch(b, client);
    assert.deepEqual(await client.until('end'), [
      [':news', ...WORDS],
      [':news', 2],
    ]);
  });

  it('what is volatile does not wait', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    await a.run('sockets', 'volatile', ['emit', 'tick', 'missed']);
    await a.run('sockets', ['socket', client.id], 'volatile', ['emit', 'tick', 'missed']);
    await a.run('sockets', ['emit', 'end']);
    await cluster.barrier(a);
    await cluster.fetch(b, client);
    assert.deepEqual(await client.until('end'), []);
    for (const tick of [['sockets'], ['sockets', ['socket', client.id]]]) {
      await cluster.hang(b, client);
      await a.run(...tick, 'volatile', ['emit', 'tick', 'caught']);
      assert.deepEqual(await client.event('tick'), ['caught']);
    }
  });

  it('an open poll hears what either node says, wherever the client polls', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    // What the node with the poll says itself waits at the other as well, until the next poll is
    // over: 0.9 publishes `close` before `dispatch` then. So the client stays where it is for one more.
    for (const [holder, speaker] of [
      [a, b],
      [b, a],
      [b, b],
      [b, a],
      [a, b],
      [a, a],
      [a, b],
    ]) {
      await cluster.hang(holder, client);
      await speaker.run('sockets', ['emit', 'news', holder.name, speaker.name, ...WORDS]);
      await client.answered();
      await Promise.all([cluster.barrier(holder), cluster.barrier(speaker)]);
      assert.deepEqual(await client.event('news'), [holder.name, speaker.name, ...WORDS]);
      const other = holder === a ? b : a;
      assert.equal((await holder.call('state', client.id)).transport, true);
      const { transport, open } = await other.call('state', client.id);
      assert.deepEqual([transport, open], [false, false]);
    }
  });

  it('a poll at one node supersedes the one before at the other', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    assert.equal((await b.call('state', client.id)).transport, true);
    await cluster.hang(a, client);
    const during = await b.call('state', client.id);
    assert.deepEqual([during.transport, during.open], [false, true]);
    await b.run('sockets', ['emit', 'end']);
    await client.answered();
    await cluster.barrier(a);
    const afterwards = await b.call('state', client.id);
    assert.deepEqual([afterwards.transport, afterwards.open, afterwards.waiting], [false, false, []]);
  });

  it('the end of a poll arrives before what was said after it', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    await cluster.hang(a, client);
    await a.run('sockets', ['emit', 'news']); // first this ends the poll, then it is published
    await client.answered();
    await cluster.barrier(a);
    assert.deepEqual((await b.call('state', client.id)).waiting, ['5:::{"name":"news"}']);
  });

  it('an event posted to the node that has neither the poll nor the handlers', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b); // its handlers are at b
    await cluster.hang(b, client);
    await client.send(`5:1+::${ECHO}`, a);
    await a.published('message-remote', client.id);
    assert.deepEqual((await client.acknowledgement('1')).args, [...WORDS, b.name]);
  });

  it('an acknowledgement finds the poll at the other node, open or to come', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    await client.send(`5:1+::${ECHO}`, a);
    await b.published('dispatch-remote', client.id);
    await cluster.barrier(b);
    await cluster.fetch(a, client);
    assert.deepEqual((await client.acknowledgement('1')).args, [...WORDS, b.name]);

    await cluster.hang(b, client);
    await client.send(`5:2::${NOTE}`, a);
    await a.published('dispatch-remote', client.id);
    await client.acknowledgement('2');
    assert.deepEqual((await b.saw('note', { id: client.id })).args, WORDS);
  });

  it('says good-bye at the other node', async () => {
    const [a, b] = cluster.nodes;
    const client = await cluster.poller(a, b);
    await cluster.hang(b, client);
    await client.send('0::', a);
    await a.published('disconnect-force', client.id);
    await client.disconnected();
    await b.saw('disconnect', { id: client.id, reason: 'booted' });
    await cluster.barrier(b);
    assert.equal((await a.call('state', client.id)).handshaken, null);
  });
});
