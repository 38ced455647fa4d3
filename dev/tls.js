'use strict';

/** Certificates made for one test run, and a Redis server that speaks TLS with them. */

const { spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const tls = require('node:tls');

const { ensureRedisServer, freePort, startRedis } = require('./redis-server.js');

const HOST = '127.0.0.1';

/** What a leaf certificate says beside its key. */
const LEAF = 'subjectAltName=IP:127.0.0.1,DNS:redis.test\nbasicConstraints=critical,CA:FALSE\n';

/**
 * @typedef {object} Identity
 * @property {string} cert PEM text
 * @property {string} key PEM text
 * @property {{ cert: string, key: string }} files
 */

/** A temporary directory with authorities and what they have signed. */
class Certificates {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-tls-'));
    /** The authority that signs. */
    this.ca = this.#authority('ca');
    /** An authority that has signed nothing here. */
    this.stranger = this.#authority('stranger');
    fs.writeFileSync(path.join(this.dir, 'leaf.ext'), LEAF);
    /** For the server: it bears 127.0.0.1 and redis.test. */
    this.server = this.#leaf('server');
    this.client = this.#leaf('client');
  }

  #openssl(...args) {
    const { status, error, stderr } = spawnSync('openssl', args, { cwd: this.dir, encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }

  #key(name) {
    return [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-subj',
      `/CN=${name}`,
    ];
  }

  /** @returns {Identity} */
  #authority(name) {
    this.#openssl('req', '-x509', ...this.#key(name), '-days', '2', '-out', `${name}.pem`);
    return this.#identity(name);
  }

  /** @returns {Identity} */
  #leaf(name) {
    this.#openssl('req', ...this.#key(name), '-out', `${name}.csr`);
    this.#openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'leaf.ext',
      '-out',
      `${name}.pem`,
    );
    return this.#identity(name);
  }

  #identity(name) {
    const files = { cert: path.join(this.dir, `${name}.pem`), key: path.join(this.dir, `${name}.key`) };
    return { cert: fs.readFileSync(files.cert, 'utf8'), key: fs.readFileSync(files.key, 'utf8'), files };
  }

  /** Removes the directory. */
  remove() {
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** @returns {boolean} whether the Redis server was built with TLS */
function speaksTls() {
  // Without certificates it ends at once, and says what it misses: them, or the option itself.
  const { stdout, stderr } = spawnSync(ensureRedisServer(), ['--port', '0', '--tls-port', '1'], { encoding: 'utf8' });
  return /tls-cert-file/.test(stdout + stderr);
}

/**
 * Starts a Redis server that takes TLS on one port, and plain text on another one.
 * @param {Certificates} certificates
 * @param {{ clients?: boolean, proxy?: boolean }} [options] `clients`: those must have a certificate of
 *   the authority; `proxy`: put a proxy in front even of a server that speaks TLS itself
 */
async function startTlsRedis(certificates, { clients = false, proxy = !speaksTls() } = {}) {
  if (proxy) return startProxied(certificates, clients);
  const { ca, server } = certificates;
  const tlsPort = await freePort();
  const redis = await startRedis({
    args: [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      server.files.cert,
      '--tls-key-file',
      server.files.key,
      '--tls-ca-cert-file',
      ca.files.cert,
      '--tls-auth-clients',
      clients ? 'yes' : 'no',
    ],
  });
  return { redis, tlsPort, url: `rediss://${HOST}:${tlsPort}`, stop: () => redis.stop() };
}

async function startProxied({ ca, server }, clients) {
  const redis = await startRedis();
  /** @type {Set<net.Socket>} */
  const sockets = new Set();
  const keep = (socket, peer) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => {
        sockets.delete(socket);
        peer.destroy();
      });
  };
  const options = {
    cert: server.cert,
    key: server.key,
    ca: ca.cert,
    requestCert: clients,
    rejectUnauthorized: clients,
  };
  const proxy = tls.createServer(options, (secure) => {
    const plain = net.connect(redis.port, HOST);
    keep(secure, plain);
    keep(plain, secure);
    secure.pipe(plain).pipe(secure);
  });
  proxy.on('tlsClientError', () => {});
  proxy.listen(0, HOST);
  await once(proxy, 'listening');
  const tlsPort = /** @type {net.AddressInfo} */ (proxy.address()).port;
  return {
    redis,
    tlsPort,
    url: `rediss://${HOST}:${tlsPort}`,
    async stop() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await redis.stop();
    },
  };
}

module.exports = { Certificates, startTlsRedis };
