'use strict';

/** Clients that come back to servers that have read what they missed, and to others. */

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { createFixture, range } = require('../faults/fixture');
const { LIMIT } = require('../../support/limits');
const { until } = require('../../support/load');
const { breakOff, successorOf, withoutOffsets } = require('../../support/recovery');
const { RECOVERY, streamsNode } = require('./faults/fixture');

/** More than one page, and more than are read in one go. */
const MANY = 2500;

async function fixtureOf(t) {
  const fixture = await createFixture(t);
  const command = (/** @type {any[]} */ ...args) => fixture.redis.command(...args);
  const cluster = { redis: fixture.redis };
  const a = await streamsNode(fixture, { server: RECOVERY });
  /** Breaks off a client that has seen `first`, and adds `count` entries that it misses. */
  const miss = async (count) => {
    const before = await fixture.client(a);
    a.io.emit('first');
    await before.event('first');
    await breakOff(cluster, before);
    const length = await command('XLEN', 'socket.io');
    for (const number of range(1, count)) a.io.emit('missed', number);
    await until('the entries', async () => (await command('XLEN', 'socket.io')) === length + count);
    return before;
  };
  const comeBack = async (before, node) => {
    const after = successorOf(before, node);
    fixture.after(() => after.manager._close());
    return after.open();
  };
  /** How often Redis was given a command. */
  const callsOf = async (name) => {
    const calls = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await command('INFO', 'commandstats'));
    return Number(calls?.[1] ?? 0);
  };
  return { fixture, a, miss, comeBack, callsOf, command };
}

/** What a client got up to now, after `first`. */
async function numbersOf(client, { io }) {
  io.emit('end');
  return withoutOffsets(await client.until('end')).map(([, number]) => number);
}

describe('clients that come back', LIMIT, () => {
  it('get what their server has read, and Redis is not asked', async (t) => {
    const { fixture, a, miss, comeBack, callsOf } = await fixtureOf(t);
    const b = await streamsNode(fixture, { server: RECOVERY });
    const before = await miss(MANY);
    const calls = await callsOf('xrange');
    const after = await comeBack(before, b);
    assert.equal(after.socket.recovered, true);
    assert.deepEqual(await numbersOf(after, a), range(1, MANY));
    assert.equal(await callsOf('xrange'), calls);
  });

  it('get what Redis has where their server was not there yet', async (t) => {
    const { fixture, a, miss, comeBack, callsOf } = await fixtureOf(t);
    const before = await miss(MANY);
    const calls = await callsOf('xrange');
    const after = await comeBack(before, await streamsNode(fixture, { server: RECOVERY }));
    assert.equal(after.socket.recovered, true);
    assert.deepEqual(await numbersOf(after, a), range(1, MANY));
    assert.ok((await callsOf('xrange')) > calls);
  });

  it('are new ones where Redis is another one since their server has read', async (t) => {
    const { a, miss, comeBack, command } = await fixtureOf(t);
    const before = await miss(3);
    const since = a.eventLog().events.length;
    await command('DEL', 'socket.io');
    await command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await a.eventLog().next('connect', 'sub', undefined, since);
    const after = await comeBack(before, a);
    assert.equal(after.socket.recovered, false);
  });

  it('get nothing again that their new server has still to read', async (t) => {
    const { fixture, a, comeBack, callsOf, command } = await fixtureOf(t);
    const proxy = await fixture.proxy();
    const readers = async () => (await command('CLIENT', 'LIST')).match(/^id=\d+(?=.*cmd=xread)/gm) ?? [];
    await until('the first server to read', async () => (await readers()).length === 1);
    const [others] = await readers();
    const b = await streamsNode(fixture, { url: proxy.url, server: RECOVERY });
    await until('the second one to read', async () => (await readers()).length === 2);
    const reader = (await readers()).find((id) => id !== others);
    const before = await fixture.client(a);
    const since = b.eventLog().events.length;
    proxy.refuseNew();
    await command('CLIENT', 'KILL', 'ID', reader?.slice('id='.length));
    await b.eventLog().next('disconnect', 'sub', undefined, since);
    a.io.emit('seen');
    await before.event('seen');
    await breakOff({ redis: fixture.redis }, before);
    const coming = comeBack(before, b);
    await until('the session to be taken', async () => (await callsOf('getdel')) > 0);
    proxy.accept();
    const after = await coming;
    assert.equal(after.socket.recovered, true);
    a.io.emit('end');
    assert.deepEqual(withoutOffsets(await after.until('end')), []);
  });
});
