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
const LEAF = ['subjectAltName=IP:127.0.0.1,DNS:redis.test', 'basicConstraints=critical,CA:FALSE'];
/** What an authority's certificate says. */
const AUTHORITY = ['basicConstraints=critical,CA:TRUE'];

/**
 * @typedef {object} Identity
 * @property {string} cert PEM text
 * @property {string} key PEM text
 * @property {{ cert: string, key: string }} files
 */

/**
 * @typedef {object} Wanted what a certificate is to be
 * @property {Identity | null} [issuer] null: it signs itself
 * @property {string[]} [extensions] OpenSSL's lines; none at all make it one of version 1
 * @property {string[]} [key] OpenSSL's arguments for a new key
 * @property {string} [subject]
 * @property {number} [days] how long it is valid, from now on; below 0: it has expired
 */

/** A key on a curve. */
const curve = (name) => ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${name}`];

/** A temporary directory with authorities and what they have signed. */
class Certificates {
  #count = 0;

  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-tls-'));
    /** The authority that signs. */
    this.ca = this.issue('ca', { issuer: null, extensions: AUTHORITY });
    /** An authority that has signed nothing here. */
    this.stranger = this.issue('stranger', { issuer: null, extensions: AUTHORITY });
    /** For the server: it bears 127.0.0.1 and redis.test. */
    this.server = this.issue('server');
    this.client = this.issue('client');
  }

  #openssl(...args) {
    const { status, error, stderr } = spawnSync('openssl', args, { cwd: this.dir, encoding: 'utf8' });
    if (status !== 0) throw error ?? new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }

  /**
   * Makes a key and a certificate for it.
   * @param {string} name
   * @param {Wanted} [wanted]
   * @returns {Identity}
   */
  issue(
    name,
    { issuer = this.ca, extensions = LEAF, key = curve('prime256v1'), subject = `/CN=${name}`, days = 2 } = {},
  ) {
    const file = `${name}-${++this.#count}`;
    const paths = { cert: path.join(this.dir, `${file}.pem`), key: path.join(this.dir, `${file}.key`) };
    const request = path.join(this.dir, `${file}.csr`);
    this.#openssl('req', ...key, '-nodes', '-keyout', paths.key, '-subj', subject, '-out', request);
    const lines = path.join(this.dir, `${file}.ext`);
    fs.writeFileSync(lines, extensions.join('\n'));
    const signer = issuer === null ? ['-signkey', paths.key] : ['-CA', issuer.files.cert, '-CAkey', issuer.files.key];
    this.#openssl(
      'x509',
      '-req',
      ...['-in', request, '-out', paths.cert, '-set_serial', String(Date.now()) + this.#count],
      ...['-days', String(days), ...signer],
      ...(extensions.length > 0 ? ['-extfile', lines] : []),
    );
    return { cert: fs.readFileSync(paths.cert, 'utf8'), key: fs.readFileSync(paths.key, 'utf8'), files: paths };
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
  const proxy = await startTlsProxy(redis.port, {
    cert: server.cert,
    key: server.key,
    ca: ca.cert,
    requestCert: clients,
    rejectUnauthorized: clients,
  });
  return {
    redis,
    tlsPort: proxy.port,
    url: `rediss://${HOST}:${proxy.port}`,
    async stop() {
      proxy.stop();
      await redis.stop();
    },
  };
}

/**
 * Takes TLS and passes on what is in it.
 * @param {number} to the port of a server here
 * @param {tls.TlsOptions} options of the TLS server
 * @param {string} [file] the path of the socket to listen on, instead of a port
 * @returns {Promise<{ port: number, sockets: Set<tls.TLSSocket>, stop(): void }>} `sockets` are those that have
 *   negotiated TLS
 */
async function startTlsProxy(to, options, file) {
  /** @type {Set<net.Socket>} */
  const all = new Set();
  /** @type {Set<tls.TLSSocket>} */
  const sockets = new Set();
  const keep = (socket, peer) => {
    all.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => {
        all.delete(socket);
        peer.destroy();
      });
  };
  const proxy = tls.createServer(options, (secure) => {
    const plain = net.connect(to, HOST);
    sockets.add(secure);
    keep(secure, plain);
    keep(plain, secure);
    secure
      .on('close', () => sockets.delete(secure))
      .pipe(plain)
      .pipe(secure);
  });
  proxy.on('tlsClientError', () => {});
  if (file === undefined) proxy.listen(0, HOST);
  else proxy.listen(file);
  await once(proxy, 'listening');
  return {
    port: /** @type {net.AddressInfo} */ (proxy.address()).port,
    sockets,
    stop() {
      proxy.close();
      for (const socket of all) socket.destroy();
    },
  };
}

module.exports = { AUTHORITY, Certificates, curve, LEAF, speaksTls, startTlsProxy, startTlsRedis };
