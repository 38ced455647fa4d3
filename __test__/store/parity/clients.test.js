'use strict';

/** The data of clients: each test runs on the JavaScript store, then on ours. */

const assert = require('node:assert/strict');
const { after, afterEach, before, beforeEach, describe, it } = require('node:test');

const { startRedis } = require('../../../dev/redis-server.js');
const { ask, implementations, inbox, opener, until } = require('../../support/stores.js');
const { LIMIT } = require('../../support/limits.js');

/** Values (and keys) with the text that Redis gets. */
const TEXTS = {
  'a string': ['text', 'text'],
  'an empty string': ['', ''],
  Unicode: ['é комната 😀', 'é комната 😀'],
  'NUL and line ends': ['a\0b\r\n$5\r\nc', 'a\0b\r\n$5\r\nc'],
  'half a surrogate pair': ['a\ud800b', 'a\ufffdb'],
  'a number': [5, '5'],
  'minus zero': [-0, '0'],
  'a fraction': [0.1, '0.1'],
  'a large number': [1e21, '1e+21'],
  NaN: [NaN, 'NaN'],
  'a bigint': [10n, '10'],
  true: [true, 'true'],
  false: [false, 'false'],
  null: [null, 'null'],
  undefined: [undefined, 'undefined'],
  'an object': [{ a: 1 }, '[object Object]'],
  'an object with toString': [{ toString: () => 'own text' }, 'own text'],
  'an array': [[1, [2, null], 'x'], '1,2,,x'],
  'an empty array': [[], ''],
  'a function': [String, String(String)],
  'a symbol': [Symbol('s'), 'Symbol(s)'],
  'a Buffer': [Buffer.from('bytes é'), 'bytes é'],
  'an empty Buffer': [Buffer.alloc(0), ''],
  'a Uint8Array': [new Uint8Array([1, 2]), '1,2'],
  'a large string': ['é'.repeat(1 << 19), 'é'.repeat(1 << 19)],
};

let server;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());
afterEach(() => server.command('FLUSHALL'));

for (const { name, RedisStore } of implementations) {
  describe(name, LIMIT, () => {
    class OwnStore extends RedisStore {}
    OwnStore.Client = class extends RedisStore.Client {
      double(key, fn) {
        return this.get(key, (error, value) => fn(error, value + value));
      }
    };
    const open = opener(RedisStore, () => server);
    const openOwn = opener(OwnStore, () => server);
    let store;
    beforeEach(() => {
      store = open({ nodeId: 'a' });
    });

    it('client() gives one object per id, kept in clients', () => {
      const client = store.client('id');
      assert.ok(client instanceof RedisStore.Client);
      assert.equal(store.client('id'), client);
      assert.notEqual(store.client('other'), client);
      assert.deepEqual(Object.keys(store.clients), ['id', 'other']);
      assert.equal(store.clients.id, client);
    });

    it('a client has its store and its id, and nothing else to see', () => {
      const client = store.client('id');
      assert.equal(client.store, store);
      assert.equal(client.id, 'id');
      assert.deepEqual(Object.keys(client), ['store', 'id']);
    });

    it('client() makes the Client of its own class', async () => {
      const own = openOwn({ nodeId: 'b' });
      own.client('id').set('key', 'x');
      assert.deepEqual(await ask(own.client('id'), 'double', 'key'), [null, 'xx']);
    });

    it('get, set, has, del and destroy return the client', () => {
      const client = store.client('id');
      assert.equal(client.set('key', 'value'), client);
      assert.equal(client.get('key'), client);
      assert.equal(
        client.has('key', () => {}),
        client,
      );
      assert.equal(client.del('key'), client);
      assert.equal(client.destroy(), client);
      assert.equal(client.destroy(1), client);
      assert.equal(
        client
          .set('key', 'value', () => {})
          .get('key', () => {})
          .del('key', () => {}),
        client,
      );
    });

    it('get calls back with the text, or null', async () => {
      const client = store.client('id');
      assert.deepEqual(await ask(client, 'get', 'key'), [null, null]);
      client.set('key', 'value');
      assert.deepEqual(await ask(client, 'get', 'key'), [null, 'value']);
    });

    it('set calls back with 1 for a new key and 0 for an old one', async () => {
      const client = store.client('id');
      assert.deepEqual(await ask(client, 'set', 'key', 'value'), [null, 1]);
      assert.deepEqual(await ask(client, 'set', 'key', 'other'), [null, 0]);
      assert.deepEqual(await ask(client, 'get', 'key'), [null, 'other']);
    });

    it('has calls back with a boolean', async () => {
      const client = store.client('id');
      assert.deepEqual(await ask(client, 'has', 'key'), [null, false]);
      client.set('key', '');
      assert.deepEqual(await ask(client, 'has', 'key'), [null, true]);
    });

    it('del calls back with 1, or 0 for a missing key', async () => {
      const client = store.client('id');
      client.set('key', 'value');
      assert.deepEqual(await ask(client, 'del', 'key'), [null, 1]);
      assert.deepEqual(await ask(client, 'del', 'key'), [null, 0]);
      assert.deepEqual(await ask(client, 'get', 'key'), [null, null]);
    });

    it('calls back later, in the order of the calls', async () => {
      const answers = inbox();
      const client = store.client('id');
      client
        .get('key', (_, value) => answers('get', value))
        .set('key', 1, (_, added) => answers('set', added))
        .has('key', (_, has) => answers('has', has))
        .get('key', (_, value) => answers('get', value))
        .del('key', (_, deleted) => answers('del', deleted));
      store.client('other').get('key', (_, value) => answers('other', value));
      assert.equal(answers.calls.length, 0);
      assert.deepEqual(await answers.take(6), [
        ['get', null],
        ['set', 1],
        ['has', true],
        ['get', '1'],
        ['del', 1],
        ['other', null],
      ]);
    });

    it('calls back with the error of Redis alone', async () => {
      await server.command('SET', 'id', 'no hash');
      const client = store.client('id');
      for (const method of ['get', 'has', 'del']) {
        const answer = await ask(client, method, 'key');
        assert.equal(answer.length, 1, method);
        assert.ok(answer[0] instanceof Error);
        assert.match(answer[0].message, /WRONGTYPE/);
      }
      const [error] = await ask(client, 'set', 'key', 'value');
      assert.match(error.message, /WRONGTYPE/);
      assert.deepEqual(await ask(store.client('good'), 'get', 'key'), [null, null]);
    });

    for (const [kind, [value, text]] of Object.entries(TEXTS)) {
      it(`${kind} as a value`, async () => {
        const client = store.client('id');
        assert.deepEqual(await ask(client, 'set', 'key', value), [null, 1]);
        assert.deepEqual(await ask(client, 'get', 'key'), [null, text]);
        assert.deepEqual(await server.command('HGETALL', 'id'), ['key', text]);
      });

      it(`${kind} as a key`, async () => {
        const client = store.client('id');
        assert.deepEqual(await ask(client, 'set', value, 'value'), [null, 1]);
        assert.deepEqual(await server.command('HGETALL', 'id'), [text, 'value']);
        assert.deepEqual(await ask(client, 'get', value), [null, 'value']);
        assert.deepEqual(await ask(client, 'has', value), [null, true]);
        assert.deepEqual(await ask(client, 'del', value), [null, 1]);
      });
    }

    it('sets a value that is no text, and gets it with U+FFFD', async () => {
      const client = store.client('id');
      await ask(client, 'set', 'key', Buffer.from([0x61, 0xff, 0xe2, 0x82, 0x00, 0x62]));
      assert.deepEqual(await ask(client, 'get', 'key'), [null, 'a\ufffd\ufffd\0b']);
      assert.equal(await server.command('HSTRLEN', 'id', 'key'), 6);
    });

    it('takes any id: Unicode, spaces, NUL, a number', async () => {
      for (const id of ['комната 😀', ' a b ', 'a\0b\r\n', '123456789', 42]) {
        const client = store.client(id);
        assert.equal(client.id, id);
        assert.deepEqual(await ask(client, 'set', 'key', 'value'), [null, 1]);
        assert.equal(await server.command('HGET', String(id), 'key'), 'value');
        assert.equal(store.destroyClient(id), store);
        assert.deepEqual(await ask(store.client(id), 'has', 'key'), [null, false]);
      }
    });

    it('a numeric id and its text are one client', () => {
      assert.equal(store.client(42), store.client('42'));
    });

    it('has the data in the hash of the id, shared with other nodes', async () => {
      const other = open({ nodeId: 'b' });
      await ask(store.client('id'), 'set', 'key', 'value');
      assert.deepEqual(await ask(other.client('id'), 'get', 'key'), [null, 'value']);
      await server.command('HSET', 'id', 'foreign', 'from elsewhere');
      assert.deepEqual(await ask(store.client('id'), 'get', 'foreign'), [null, 'from elsewhere']);
      other.destroyClient('id');
      await until(async () => (await server.command('EXISTS', 'id')) === 0);
      assert.deepEqual(await ask(store.client('id'), 'get', 'key'), [null, null]);
    });

    it('destroyClient() deletes the data and forgets the client', async () => {
      const client = store.client('id');
      client.set('key', 'value');
      assert.equal(store.destroyClient('id'), store);
      assert.deepEqual(store.clients, {});
      assert.notEqual(store.client('id'), client);
      assert.deepEqual(await ask(store.client('id'), 'get', 'key'), [null, null]);
      assert.equal(await server.command('EXISTS', 'id'), 0);
    });

    it('destroyClient() with seconds lets the data expire', async () => {
      store.client('id').set('key', 'value');
      assert.equal(store.destroyClient('id', 1000), store);
      assert.deepEqual(store.clients, {});
      assert.deepEqual(await ask(store.client('id'), 'get', 'key'), [null, 'value']);
      const left = await server.command('TTL', 'id');
      assert.ok(left > 0 && left <= 1000, String(left));
    });

    it('destroyClient() with 0 or less seconds deletes the data', async () => {
      for (const seconds of [0, -5]) {
        store.client('id').set('key', 'value');
        store.destroyClient('id', seconds);
        assert.deepEqual(await ask(store.client('id'), 'get', 'key'), [null, null]);
      }
    });

    it('destroyClient() with seconds that are no number deletes the data', async () => {
      for (const seconds of ['1000', null, true, {}]) {
        store.client('id').set('key', 'value');
        store.destroyClient('id', seconds);
        assert.deepEqual(await ask(store.client('id'), 'get', 'key'), [null, null]);
      }
    });

    it('destroyClient() of an unknown id leaves its data alone', async () => {
      await server.command('HSET', 'id', 'key', 'value');
      assert.equal(store.destroyClient('id'), store);
      assert.deepEqual(await ask(store.client('other'), 'get', 'key'), [null, null]);
      assert.equal(await server.command('HGET', 'id', 'key'), 'value');
    });

    it("a client's own destroy() deletes the data and leaves the client in clients", async () => {
      const client = store.client('id');
      client.set('key', 'value').destroy();
      assert.equal(store.client('id'), client);
      assert.deepEqual(await ask(client, 'get', 'key'), [null, null]);
      client.set('key', 'value').destroy(1000);
      await ask(client, 'get', 'key');
      assert.ok((await server.command('TTL', 'id')) > 0);
    });

    it('destroy() deletes the data of all clients and empties clients', async () => {
      const ids = Array.from({ length: 500 }, (_, i) => `id ${i}`);
      for (const id of ids) store.client(id).set('key', 'value');
      await server.command('HSET', 'foreign', 'key', 'value');
      await ask(store.client(ids[0]), 'get', 'key');
      store.destroy();
      assert.deepEqual(store.clients, {});
      await until(async () => (await server.command('DBSIZE')) === 1);
      assert.equal(await server.command('EXISTS', 'foreign'), 1);
    });

    it('destroy() still lets what was asked before it reach Redis', async () => {
      await ask(store.client('kept'), 'get', 'key');
      for (let i = 0; i < 500; i++) store.client('kept').set(i, i);
      delete store.clients.kept;
      store.destroy();
      await until(async () => (await server.command('HLEN', 'kept')) === 500);
    });

    it('callbacks are not needed', async () => {
      const client = store.client('id');
      client.set('a', 1).set('b', 2, undefined).get('a').get('a', undefined).del('a').del('a', undefined);
      assert.deepEqual(await ask(client, 'get', 'b'), [null, '2']);
    });
  });
}
