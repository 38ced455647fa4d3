'use strict';

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');

const { parseEndpoint } = require('../../lib/endpoint');
const {
  assertInvalid,
  DEFAULTS,
  HOST,
  identity,
  ignore,
  PEM,
  PEM2,
  pkcs8,
  PLAIN_TLS,
  PORT,
  PROMISE_CLIENTS,
  quiet,
  read,
  SOCKET,
} = require('./endpoints');
const { LIMIT } = require('../support/limits');

for (const name of PROMISE_CLIENTS) {
  describe(name, LIMIT, () => {
    const redis = require(name);
    const create = (options) => quiet(redis.createClient(options));

    it('defaults', () => {
      assert.deepEqual(read(create()), DEFAULTS);
      assert.deepEqual(read(create({})), DEFAULTS);
    });

    it('is recognised without its module, and with it', () => {
      const client = create();
      assert.equal(parseEndpoint('redisPub', client).client, client);
      assert.equal(parseEndpoint('redisPub', client, redis).client, client);
    });

    it('host and port, a user and a database', () => {
      const client = create({
        socket: { host: HOST, port: PORT },
        username: 'bob',
        password: 'secret',
        database: 2,
      });
      assert.deepEqual(read(client), {
        ...DEFAULTS,
        host: HOST,
        port: PORT,
        username: 'bob',
        password: 'secret',
        db: 2,
      });
      assert.deepEqual(read(create({ password: 'secret' })), { ...DEFAULTS, password: 'secret' });
    });

    it('a URL', () => {
      assert.deepEqual(read(create({ url: `redis://bob:p%40ss@${HOST}:${PORT}/4` })), {
        ...DEFAULTS,
        host: HOST,
        port: PORT,
        username: 'bob',
        password: 'p@ss',
        db: 4,
      });
      assert.equal(read(create({ url: 'redis://:secret@localhost' })).password, 'secret');
      assert.equal(read(create({ url: `redis://[::1]:${PORT}` })).host, '::1');
    });

    it('a Unix socket', () => {
      assert.equal(read(create({ socket: { path: SOCKET } })).path, SOCKET);
    });

    it('a name', () => {
      assert.equal(read(create({ name: 'chat' })).name, 'chat');
      assertInvalid(create({ name: 'a chat' }), 'redisPub.name', /without spaces/);
    });

    it('a lookup', async () => {
      const lookup = (host, options, found) => found(null, [{ address: host === 'h.test' ? HOST : host, family: 4 }]);
      const { preparation } = read(create({ socket: { host: 'h.test', lookup } }));
      assert.deepEqual((await preparation.ask()).addresses, [HOST]);
      assert.equal(read(create({ socket: { host: HOST, lookup } })).preparation, null, 'an address needs none');
      assertInvalid(create({ socket: { lookup: 'x' } }), 'redisPub.socket.lookup', /a function/);
    });

    it('TLS', () => {
      const { cert, key } = identity();
      const socket = {
        host: HOST,
        tls: true,
        ca: [Buffer.from(PEM), PEM2],
        cert,
        key: Buffer.from(key),
        servername: 'x.test',
      };
      assert.deepEqual(read(create({ socket })).tls, {
        ...PLAIN_TLS,
        system: false,
        ca: [PEM, PEM2],
        cert,
        key: pkcs8(key),
        servername: 'x.test',
      });
      assert.deepEqual(read(create({ url: 'rediss://h.test', socket: { ca: PEM } })).tls, {
        ...PLAIN_TLS,
        system: false,
        ca: [PEM],
      });
      assert.equal(read(create({ socket: { host: HOST, ca: PEM } })).tls, null);
    });

    it('duplicates', () => {
      const client = quiet(create({ url: `redis://:secret@${HOST}:${PORT}/4` }).duplicate());
      assert.deepEqual(read(client), { ...DEFAULTS, host: HOST, port: PORT, password: 'secret', db: 4 });
    });

    it('select() and auth() before connect() fail in the client and change nothing', async () => {
      const client = create({ database: 2 });
      const endpoint = parseEndpoint('redisPub', client);
      await assert.rejects(client.select(3));
      await assert.rejects(client.auth({ username: 'bob', password: 'secret' }));
      assert.deepEqual(endpoint.read(), { ...DEFAULTS, db: 2 });
    });
  });
}

describe('redis-4', LIMIT, () => {
  it('the bare @redis/client has no options at all', () => {
    const client = quiet(require('@redis/client').createClient());
    assert.equal(client.options, undefined);
    assert.deepEqual(read(client), DEFAULTS);
  });
});

for (const name of ['redis-5', 'redis-6']) {
  describe(name, LIMIT, () => {
    const redis = require(name);

    it('a credentials provider is asked each time', async () => {
      const answers = [{ username: 'bob', password: '1' }, { password: '2' }];
      const provider = { type: 'async-credentials-provider', credentials: async () => answers.shift() };
      const { preparation, password } = read(quiet(redis.createClient({ credentialsProvider: provider })));
      assert.equal(password, null);
      assert.deepEqual(await preparation.ask(), { error: null, username: 'bob', password: '1', addresses: [] });
      assert.deepEqual(await preparation.ask(), { error: null, username: null, password: '2', addresses: [] });
      const again = quiet(redis.createClient({ credentialsProvider: provider }));
      assert.equal(read(again).preparation.id, preparation.id, 'clients with one provider share a connection');
      const other = { ...provider };
      assert.notEqual(read(quiet(redis.createClient({ credentialsProvider: other }))).preparation.id, preparation.id);
    });

    it('what a credentials provider throws is the reason', async () => {
      const credentials = async () => {
        throw new Error('the vault is closed');
      };
      const client = quiet(
        redis.createClient({ credentialsProvider: { type: 'async-credentials-provider', credentials } }),
      );
      const { error } = await read(client).preparation.ask();
      assert.equal(error, 'credentialsProvider has failed: the vault is closed');
    });

    it('the provider that it makes of a user name and a password needs not be asked', () => {
      const client = quiet(redis.createClient({ username: 'bob', password: 'secret' }));
      assert.equal(client.options.credentialsProvider.type, 'async-credentials-provider');
      assert.equal(read(client).preparation, null);
      assert.equal(read(client).password, 'secret');
    });

    it('refuses a stream of credentials', () => {
      const client = quiet(
        redis.createClient({ credentialsProvider: { type: 'streaming-credentials-provider', subscribe: ignore } }),
      );
      assertInvalid(client, 'redisPub.credentialsProvider', /async-credentials-provider/);
    });

    it('refuses pools', () => {
      assertInvalid(redis.createClientPool(), 'redisPub', /a pool does not say where .*createClient/);
    });

    it('a tag of its own, or no information', () => {
      const library = (options) => read(quiet(redis.createClient(options))).library;
      assert.equal(library({ clientInfoTag: 'chat' }), 'socket.io-redis-native(chat)');
      assert.equal(library({ disableClientInfo: true }), null);
    });

    it('refuses the legacy face, which hides its client', () => {
      assertInvalid(quiet(redis.createClient()).legacy(), 'redisPub', /pass a client/);
    });
  });
}

describe('redis-6', LIMIT, () => {
  it('a unix:// URL', () => {
    const client = quiet(require('redis-6').createClient({ url: `unix://bob:secret@${SOCKET}?db=2` }));
    assert.deepEqual(read(client), { ...DEFAULTS, path: SOCKET, username: 'bob', password: 'secret', db: 2 });
  });

  it('an instance of the RedisClient it exports', () => {
    const { RedisClient } = require('redis-6');
    assert.deepEqual(read(quiet(new RedisClient({ database: 3 })), { RedisClient }), { ...DEFAULTS, db: 3 });
  });
});
