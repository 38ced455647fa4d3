'use strict';

/** Where a store connects to: every client that it may be given, URLs, Unix sockets, passwords, databases. */

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');

const { RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { families } = require('../support/client-families.js');
const { ask, clientList, connected, inbox, monitor, opener, subscribe, until } = require('../support/stores.js');
const { LIMIT } = require('../support/limits.js');

const PASSWORD = 'p@ss:w/ö rd#?';
const DB = 3;

let open; // a server that lets everybody in
let closed; // one with a password
before(async () => {
  [open, closed] = await Promise.all([
    startRedis({ unixSocket: true }),
    startRedis({ password: PASSWORD, unixSocket: true }),
  ]);
});
after(() => Promise.all([open.stop(), closed.stop()]));

const store = opener(RedisStore, () => open);
const same = (endpoint) => ({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });

/** Publishes from `node` to another one of that server and back, and sets and gets. */
async function roundTrip(node, server, db) {
  const other = store({ nodeId: 'other', ...same({ url: server.url, db }) });
  const consumer = inbox();
  await subscribe(node, 'there', (text) => node.publish('back', text));
  await subscribe(other, 'back', consumer);
  other.publish('there', 'é');
  assert.deepEqual(await consumer.next(), ['é']);
  assert.deepEqual(await ask(node.client('id'), 'set', 'key', node.nodeId), [null, 1]);
  assert.deepEqual(await ask(other.client('id'), 'get', 'key'), [null, node.nodeId]);
  assert.deepEqual(await ask(node.client('id'), 'del', 'key'), [null, 1]);
}

for (const family of families) {
  describe(family.name, LIMIT, () => {
    it('as redisPub, redisSub and redisClient', async () => {
      const clients = [1, 2, 3].map(() => family.create({ port: open.port }));
      const [redisPub, redisSub, redisClient] = clients;
      const node = store({ redisPub, redisSub, redisClient });
      await roundTrip(node, open, 0);
      node.destroy();
      assert.ok(clients.every(family.isEnded));
    });

    it('as one of them', async () => {
      for (const name of ['redisPub', 'redisSub', 'redisClient']) {
        const client = family.create({ port: open.port });
        await roundTrip(store({ ...same(open.url), [name]: client }), open, 0);
      }
    });

    it('with a password and a database set later in the same tick', async () => {
      const settings = { port: closed.port, password: PASSWORD, db: DB };
      const client = family.create(settings);
      const node = store(same(client));
      family.enter(client, settings);
      await roundTrip(node, closed, DB);
    });

    it('on a Unix socket', async () => {
      const node = store(same(family.create({ path: open.socketPath })));
      await roundTrip(node, open, 0);
      assert.equal(node.stats().connections.sub.endpoint, open.socketPath);
    });

    it('connected: it is never written to, and ended with the store', async (t) => {
      await until(async () => (await clientList(open)).length === 0);
      const clients = [1, 2, 3].map(() => family.create({ port: open.port }));
      await Promise.all(clients.map(family.start));
      const known = new Set((await clientList(open)).map(({ addr }) => addr));
      assert.equal(known.size, 3);
      const watch = await monitor(t, open);
      const [redisPub, redisSub, redisClient] = clients;
      const node = store({ redisPub, redisSub, redisClient });
      await roundTrip(node, open, 0);
      node.client('id').set('key', 'value');
      node.unsubscribe('there');
      node.destroy();
      await until(async () => (await clientList(open)).every(({ addr }) => !known.has(addr)));
      assert.ok(clients.every(family.isEnded));
      const lines = await watch.end();
      assert.ok(lines.some((line) => /"publish"/i.test(line)));
      for (const addr of known)
        assert.deepEqual(
          lines.filter((line) => line.includes(addr)),
          [],
        );
    });
  });
}

describe('URLs and options', LIMIT, () => {
  it('redis:// with a password', () => roundTrip(store(same(closed.url)), closed, 0));

  it('redis:// with a database', async () => {
    const node = store(same(`${closed.url}/${DB}`));
    await roundTrip(node, closed, DB);
    await ask(node.client('id'), 'set', 'key', 'value');
    assert.match(await closed.command('INFO', 'keyspace'), /db3:keys=1/);
  });

  it('redis:// by the name localhost', () => roundTrip(store(same(`redis://localhost:${open.port}`)), open, 0));

  it('a URL object', () => roundTrip(store(same(new URL(`${open.url}?db=${DB}`))), open, DB));

  it('unix:// with a password and a database', () => {
    const url = `unix://:${encodeURIComponent(PASSWORD)}@${closed.socketPath}?db=${DB}`;
    return roundTrip(store(same(url)), closed, DB);
  });

  it('options', () =>
    roundTrip(store(same({ host: '127.0.0.1', port: String(closed.port), auth_pass: PASSWORD, db: DB })), closed, DB));

  it('options with a path', () => roundTrip(store(same({ path: open.socketPath })), open, 0));

  it('an ACL user', async () => {
    await open.command('ACL', 'SETUSER', 'sio', 'on', '>secret', '~*', '&*', '+@all');
    await roundTrip(store(same({ port: open.port, host: '127.0.0.1', username: 'sio', password: 'secret' })), open, 0);
    const users = (await clientList(open)).map(({ user }) => user);
    assert.equal(users.filter((user) => user === 'sio').length, 2);
  });

  it('publisher and subscriber in different databases: channels span them', async () => {
    const node = store({ redisPub: `${open.url}/1`, redisSub: `${open.url}/2`, redisClient: `${open.url}/${DB}` });
    await roundTrip(node, open, DB);
  });

  it('three different servers', async () => {
    const node = store({ redisPub: open.url, redisSub: open.url, redisClient: closed.url });
    const consumer = inbox();
    const other = store(same(open.url));
    await subscribe(other, 'message', consumer);
    node.publish('message', 1);
    assert.deepEqual(await consumer.next(), [1]);
    assert.deepEqual(await ask(node.client('id'), 'set', 'only there', 'value'), [null, 1]);
    assert.equal(await closed.command('HGET', 'id', 'only there'), 'value');
    assert.equal(await open.command('EXISTS', 'id'), 0);
  });

  it('a wrong password is told as ERR_REFUSED, without it', async () => {
    const node = store(same(`redis://:wrong@127.0.0.1:${closed.port}`));
    const errors = inbox();
    node.on('error', errors);
    const told = await errors.take(2);
    for (const [error] of told) {
      assert.equal(error.code, 'ERR_REFUSED');
      assert.match(error.message, /WRONGPASS/);
      assert.doesNotMatch(error.message, /:wrong/);
    }
    assert.deepEqual(told.map(([error]) => error.connection).sort(), ['pub', 'sub']);
  });

  it('a missing password is told as ERR_REFUSED', async () => {
    const node = store(same(`redis://127.0.0.1:${closed.port}`));
    const errors = inbox();
    node.on('error', errors);
    const [error] = await errors.next();
    assert.equal(error.code, 'ERR_REFUSED');
    assert.match(error.message, /NOAUTH/);
  });

  it('a database that is not there is told as ERR_REFUSED', async () => {
    const node = store({ redisPub: open.url, redisSub: open.url, redisClient: `${open.url}/9999` });
    const errors = inbox();
    node.on('error', errors);
    const [error] = await errors.next();
    assert.equal(error.code, 'ERR_REFUSED');
    assert.match(error.message, /out of range/);
  });
});

describe('connections', LIMIT, () => {
  const added = async (before) => (await clientList(open)).filter(({ id }) => !before.has(id));
  const ids = async () => new Set((await clientList(open)).map(({ id }) => id));

  it('are two when all three options lead to one server', async () => {
    await until(async () => (await clientList(open)).length === 0);
    const node = store({ redisPub: open.url, redisSub: { url: open.url }, redisClient: `${open.url}/${DB}` });
    await connected(node);
    await ask(node.client('id'), 'get', 'key');
    assert.equal((await clientList(open)).length, 2);
    node.destroy();
    await until(async () => (await clientList(open)).length === 0);
  });

  it('are two when all three options are one client, or different clients of one server', async () => {
    for (const family of families) {
      const one = family.create({ port: open.port });
      const clients = [1, 2, 3].map(() => family.create({ port: open.port }));
      await Promise.all([one, ...clients].map(family.start));
      const earlier = await ids();
      const node = store(same(one));
      await connected(node);
      assert.equal((await added(earlier)).length, 2, family.name);
      const [redisPub, redisSub, redisClient] = clients;
      const next = store({ redisPub, redisSub, redisClient });
      await connected(next);
      assert.equal((await added(earlier)).length, 4, family.name);
      node.destroy();
      next.destroy();
      await until(async () => (await clientList(open)).length === 0);
    }
  });

  it('are three when redisClient leads elsewhere', async () => {
    const node = store({ redisPub: open.url, redisSub: open.url, redisClient: { path: open.socketPath } });
    await connected(node);
    await ask(node.client('id'), 'get', 'key');
    assert.equal((await clientList(open)).length, 3);
    assert.equal(node.stats().connections.cmd.endpoint, open.socketPath);
    node.destroy();
    await until(async () => (await clientList(open)).length === 0);
  });
});
