'use strict';

/** How connections enter: what they say of themselves, as which user, by which address, asked each time. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { after, before, describe, it } = require('node:test');

const { createAdapter, RedisStore } = require('../..');
const { startRedis } = require('../../dev/redis-server.js');
const { version } = require('../../package.json');
const { ask, clientList, connected, HOST, inbox, opener, until } = require('../support/stores.js');
const { LIMIT } = require('../support/limits');

let redis;
before(async () => {
  redis = await startRedis();
  await redis.command('ACL', 'SETUSER', 'nopass', 'on', 'nopass', '~*', '&*', '+@all');
  await redis.command('ACL', 'SETUSER', 'secret', 'on', '>secret', '~*', '&*', '+@all');
  await redis.command('ACL', 'SETUSER', 'few', 'on', '>secret', '&*', '+@pubsub', '+ping');
});
after(() => redis?.stop());

const store = opener(RedisStore, () => redis);
const same = (endpoint) => ({ redisPub: endpoint, redisSub: endpoint, redisClient: endpoint });
const address = () => ({ host: HOST, port: redis.port });
const quiet = (client) => client.on('error', () => {});

/** The values of a field of `CLIENT LIST`, of the connections of one store alone. */
async function field(name, node) {
  await connected(node);
  return (await clientList(redis)).map((client) => client[name]).sort();
}

describe('a name', LIMIT, () => {
  const named = {
    options: () => ({ ...address(), clientName: 'chat' }),
    'options as redis has them': () => ({ ...address(), name: 'chat' }),
    'options as ioredis has them': () => ({ ...address(), connectionName: 'chat' }),
    URL: () => `redis://${HOST}:${redis.port}?connectionName=chat`,
  };
  for (const family of ['redis-4', 'redis-5', 'redis-6'])
    named[family] = () => quiet(require(family).createClient({ socket: address(), name: 'chat' }));
  for (const family of ['ioredis-4', 'ioredis-5', 'ioredis-6'])
    named[family] = () => quiet(new (require(family))({ ...address(), lazyConnect: true, connectionName: 'chat' }));

  for (const [kind, make] of Object.entries(named)) {
    it(`from ${kind}`, async () => {
      await until(async () => (await clientList(redis)).length === 0);
      assert.deepEqual(await field('name', store(same(make()))), ['chat', 'chat']);
    });
  }

  it('is lived without where the user has no right to it', async () => {
    const node = store(same({ ...address(), username: 'few', password: 'secret', name: 'chat' }));
    node.on('error', assert.fail);
    await connected(node);
  });
});

describe('the library', LIMIT, () => {
  /** What reaches Redis on the first connection. */
  async function said(t, more) {
    let text = '';
    const proxy = net.createServer((socket) => {
      const peer = net.connect(redis.port, HOST);
      socket.on('data', (bytes) => (text += bytes)).on('error', () => {});
      socket.pipe(peer.on('error', () => {})).pipe(socket);
      t.after(() => [socket, peer].forEach((one) => one.destroy()));
    });
    await once(proxy.listen(0, HOST), 'listening');
    t.after(() => proxy.close());
    const node = store(same({ host: HOST, port: proxy.address().port, ...more }));
    await connected(node);
    return text.split('\r\n').filter((line) => !/^[*$]/.test(line));
  }

  it('and its version are said, also to a Redis that does not know how to hear it', async (t) => {
    const words = await said(t, {});
    assert.match(words.join(' '), /CLIENT SETINFO LIB-NAME socket\.io-redis-native CLIENT SETINFO LIB-VER [^ ]+ PING/);
    assert.equal(words[words.indexOf('LIB-VER') + 1], version);
  });

  it('with a tag', async (t) => {
    const words = await said(t, { clientInfoTag: 'chat' });
    assert.ok(words.includes('socket.io-redis-native(chat)'));
  });

  it('not where it is not wanted', async (t) => {
    const words = await said(t, { disableClientInfo: true });
    assert.ok(words.includes('PING'));
    assert.ok(!words.includes('CLIENT'));
  });
});

describe('a user without a password', LIMIT, () => {
  it('enters as that one', async () => {
    await until(async () => (await clientList(redis)).length === 0);
    const node = store(same(`redis://nopass@${HOST}:${redis.port}`));
    assert.deepEqual(await field('user', node), ['nopass', 'nopass']);
  });

  it('is refused when it has one, and does not enter as another', async () => {
    for (const endpoint of [`redis://secret@${HOST}:${redis.port}`, { ...address(), username: 'secret' }]) {
      const node = store(same(endpoint));
      node.on('connect', () => assert.fail('it has connected'));
      const errors = inbox();
      node.on('error', errors);
      const [error] = await errors.next();
      assert.equal(error.code, 'ERR_REFUSED');
      assert.match(error.message, /WRONGPASS/);
    }
  });
});

describe('a credentials provider', LIMIT, () => {
  const passwords = ['1', '2'];
  /** A user whose password changes, and what knows it. */
  async function rotating(user) {
    const asked = inbox();
    let current = passwords[0];
    const set = (password) =>
      redis.command('ACL', 'SETUSER', user, 'on', 'resetpass', `>${password}`, '~*', '&*', '+@all');
    await set(current);
    return {
      asked,
      rotate: async () => set((current = passwords[1])),
      credentials: async () => {
        asked();
        return { username: user, password: current };
      },
    };
  }
  const kinds = {
    options: (provider) => ({ ...address(), credentialsProvider: provider }),
    'a function': ({ credentials }) => ({ ...address(), credentials }),
    'redis-5': (provider) =>
      quiet(require('redis-5').createClient({ socket: address(), credentialsProvider: provider })),
    'redis-6': (provider) =>
      quiet(require('redis-6').createClient({ socket: address(), credentialsProvider: provider })),
  };

  for (const [kind, make] of Object.entries(kinds)) {
    it(`of ${kind} is asked before each connection`, async () => {
      await until(async () => (await clientList(redis)).length === 0);
      const { asked, credentials, rotate } = await rotating('rotating');
      const node = store(same(make({ type: 'async-credentials-provider', credentials })));
      node.on('error', () => {});
      await connected(node);
      // Publisher and commands share a connection.
      assert.equal(asked.calls.length, 2);
      await rotate();
      const back = inbox();
      node.on('connect', back);
      await redis.command('CLIENT', 'KILL', 'USER', 'rotating');
      await back.take(2);
      assert.ok(asked.calls.length >= 4);
      assert.deepEqual(await field('user', node), ['rotating', 'rotating']);
      assert.deepEqual(await ask(node.client('id'), 'set', 'key', 'value'), [null, 1]);
      await ask(node.client('id'), 'del', 'key');
    });
  }

  it('that fails is told, and asked again', async () => {
    let failures = 2;
    const credentials = async () => {
      if (failures-- > 0) throw new Error('the vault is closed');
      return { password: '' };
    };
    const provider = { type: 'async-credentials-provider', credentials };
    const node = store(same(kinds.options(provider)));
    const errors = inbox();
    node.on('error', errors);
    const [error] = await errors.next();
    assert.equal(error.code, 'ERR_CONNECT');
    assert.match(error.message, /: credentialsProvider has failed: the vault is closed$/);
    await until(() => Object.values(node.stats().connections).every(({ state }) => state === 'connected'));
  });

  it('that answers badly is told, and asked again', async () => {
    const answers = ['secret', null, { password: 5 }, { username: {} }];
    const told = [
      /: credentials has answered with a string, and not \{ username, password \}$/,
      /: credentials has answered with null, and not/,
      /: credentials has answered with a password that is a number, and no string$/,
      /: credentials has answered with a username that is an object, and no string$/,
    ];
    for (const [index, answer] of answers.entries()) {
      let asked = 0;
      const node = store(same({ ...address(), credentials: () => (asked++ < 2 ? answer : {}) }));
      const errors = inbox();
      node.on('error', errors);
      const [error] = await errors.next();
      assert.equal(error.code, 'ERR_CONNECT');
      assert.match(error.message, told[index]);
      await until(() => Object.values(node.stats().connections).every(({ state }) => state === 'connected'));
    }
  });

  it('that never answers neither keeps the process nor the end', async () => {
    const provider = { type: 'async-credentials-provider', credentials: () => new Promise(() => {}) };
    const node = store({ ...same(kinds.options(provider)), commandTimeout: 10 });
    node.on('error', () => {});
    const closed = once(node, 'close');
    node.destroy();
    await closed;
  });

  it('of an adapter', async (t) => {
    const provider = { type: 'async-credentials-provider', credentials: async () => ({ username: 'nopass' }) };
    const { Server } = require('socket.io-4');
    const io = new Server(0, { adapter: createAdapter({ ...address(), credentialsProvider: provider }, {}) });
    t.after(() => io.close());
    assert.equal(await io.of('/').adapter.serverCount(), 1);
    const users = (await clientList(redis)).map(({ user }) => user);
    assert.ok(users.includes('nopass'));
  });
});

describe('a lookup', LIMIT, () => {
  const lookup = (host, options, found) => {
    if (host !== 'redis.invalid') return found(new Error(`not asked for ${host}`));
    return options.all ? found(null, [{ address: HOST, family: 4 }]) : found(null, HOST, 4);
  };
  const there = () => ({ host: 'redis.invalid', port: redis.port, lookup });
  const kinds = {
    options: () => ({ socket: there() }),
    'redis-4': () => quiet(require('redis-4').createClient({ socket: there() })),
    'redis-6': () => quiet(require('redis-6').createClient({ socket: there() })),
  };

  for (const [kind, make] of Object.entries(kinds)) {
    it(`of ${kind} says where the host is`, async () => {
      const node = store(same(make()));
      node.on('error', assert.fail);
      await connected(node);
    });
  }

  it('that fails is told', async () => {
    const node = store(same({ socket: { ...there(), host: 'other.invalid' } }));
    const errors = inbox();
    node.on('error', errors);
    const [error] = await errors.next();
    assert.match(error.message, /at other\.invalid:\d+: lookup has failed: not asked for other\.invalid$/);
  });

  it('that gives no address is told', async () => {
    for (const [found, reason] of [
      [[], /it has found no address/],
      [['nowhere'], /no IP address/],
    ]) {
      const node = store(same({ socket: { ...there(), lookup: (host, options, done) => done(null, found) } }));
      const errors = inbox();
      node.on('error', errors);
      assert.match((await errors.next())[0].message, reason);
    }
  });
});
