'use strict';

// What the tests of endpoints share.

const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { after } = require('node:test');
const tls = require('node:tls');

const { parseEndpoint } = require('../../lib/endpoint');
const { defaultAuthorities } = require('../../lib/endpoint/authorities');
const { Certificates } = require('../../dev/tls.js');

// Nothing listens here, and nothing has to: a client is only asked where it points.
const PORT = 1;
const HOST = '127.0.0.1';
const SOCKET = '/tmp/endpoint-test-no-such.sock';
const PEM = tls.rootCertificates[0];
const PEM2 = tls.rootCertificates[1];
const DEFAULTS = {
  host: 'localhost',
  port: 6379,
  path: null,
  username: null,
  password: null,
  db: 0,
  tls: null,
  name: null,
  library: 'socket.io-redis-native',
  preparation: null,
  sentinel: null,
  cluster: null,
  addressMap: null,
};
const PLAIN_TLS = {
  ca: defaultAuthorities(),
  system: true,
  partial: false,
  cert: null,
  key: null,
  servername: null,
  rejectUnauthorized: true,
  tls12: true,
  tls13: true,
  suites: null,
  groups: null,
  alpn: [],
};

const CALLBACK_CLIENTS = ['redis-0.7', 'redis-0.8', 'redis-0.12', 'redis-2', 'redis-3'];
const PROMISE_CLIENTS = ['redis-4', 'redis-5', 'redis-6'];
const IOREDIS_CLIENTS = ['ioredis-4', 'ioredis-5', 'ioredis-6'];

/** @type {any[]} */
const open = [];
const ignore = () => {};

/** @type {InstanceType<typeof Certificates> | undefined} */
let certificates;

/** A certificate and its key, made when they are first asked for. */
function identity() {
  certificates ??= new Certificates();
  return certificates.client;
}

/** Keeps a client quiet until the tests have ended. */
function quiet(client) {
  client.on('error', ignore);
  open.push(client);
  return client;
}

/** Takes a client away without a word from its connection, which may not even have been tried yet. */
function destroy(client) {
  if (typeof client.isOpen === 'boolean') return; // redis 4 and later: never connected here
  if (client.connector || client.isCluster) {
    client.disconnect();
    return;
  }
  clearTimeout(client.retry_timer); // end() of 0.7 to 0.12 leaves it
  client.end(true);
  client.stream.on('error', ignore);
  client.stream.destroy();
}

after(() => {
  open.forEach(destroy);
  certificates?.remove();
});

/** A key as it is handed on. */
const pkcs8 = (key) => crypto.createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' });

const read = (value, redisModule) => parseEndpoint('redisPub', value, redisModule).read();

function assertInvalid(value, option, pattern = /./, redisModule = undefined) {
  assert.throws(
    () => parseEndpoint('redisPub', value, redisModule),
    (error) => {
      assert.ok(error instanceof TypeError);
      assert.equal(error.code, 'ERR_INVALID_OPTION');
      assert.equal(error.option, option);
      assert.ok(error.message.includes(option), error.message);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

module.exports = {
  assertInvalid,
  CALLBACK_CLIENTS,
  DEFAULTS,
  HOST,
  identity,
  ignore,
  IOREDIS_CLIENTS,
  PEM,
  PEM2,
  pkcs8,
  PLAIN_TLS,
  PORT,
  PROMISE_CLIENTS,
  quiet,
  read,
  SOCKET,
};
