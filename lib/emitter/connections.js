'use strict';

const { EventEmitter } = require('node:events');

const { Burst } = require('./burst');
const { EmitterNamespace } = require('./namespace');
const { flushAtExit } = require('../adapter/exit');
const { Backplane } = require('../backplane');
const { AdapterWire, NativeAdapter } = require('../backplane/binding');
const { inNoDatabase } = require('../endpoint');
const { closedError } = require('../errors');

/** What an emitter reads of streams. */
const READS_NOTHING = { names: [], readCount: 1, blockTime: 1 };
/** How many namespaces are kept open: an application may name them by what its users send. */
const MAX_NAMESPACES = 1000;

/** What the emitters share that `of()` makes: the connections, and their events. */
class EmitterConnections {
  #native;
  #burst;
  /** By their names, the one used last at the end. @type {Map<string, InstanceType<typeof EmitterNamespace>>} */
  #namespaces = new Map();
  /** How many calls of `ready()` have no answer. */
  #waiting = 0;

  /**
   * @param {import('./options').Settings} settings
   * @param {import('../endpoint').ParsedEndpoint} endpoint
   */
  constructor(settings, endpoint) {
    const { streams, wire } = settings;
    const channels = inNoDatabase(endpoint);
    const pub = streams === null ? channels : endpoint;
    this.settings = settings;
    /** Emits the events of the connections. */
    this.events = new EventEmitter().setMaxListeners(0);
    /** The connections. */
    this.backplane = new Backplane(this.events, { pub, sub: channels, cmd: pub }, settings.backplane);
    this.#native = new NativeAdapter(
      this.backplane.native,
      AdapterWire[wire.NAME],
      streams === null ? undefined : { ...READS_NOTHING, maxLen: streams.maxLen, sharded: streams.useShardedPubSub },
    );
    this.#burst = new Burst(this.#native, (callback) => this.backplane.beforeDrain(callback));
    flushAtExit(this.backplane);
  }

  /**
   * A namespace, open.
   * @param {string} nsp its name
   * @throws {Error} `ERR_CLOSED`
   */
  namespace(nsp) {
    if (this.backplane.isClosed) throw emitterClosed();
    const known = this.#namespaces.get(nsp);
    if (known !== undefined) return known;
    if (this.#namespaces.size >= MAX_NAMESPACES) this.#closeOne();
    const opened = new EmitterNamespace(nsp, this.settings, this.backplane, this.#native, this.#burst);
    this.#namespaces.set(nsp, opened);
    return opened;
  }

  /** Closes the namespace that has been open for the longest time, of those that wait for nothing. */
  #closeOne() {
    for (const [nsp, namespace] of this.#namespaces) {
      if (namespace.isWaiting) continue;
      this.#namespaces.delete(nsp);
      return namespace.close();
    }
  }

  /**
   * @returns {Promise<void>} resolves once the publishing connection is up; rejects when it is closed. It holds the
   *   process
   */
  ready() {
    const { backplane, events } = this;
    if (backplane.isClosed) return Promise.reject(emitterClosed());
    if (backplane.isUp) return Promise.resolve();
    if (this.#waiting++ === 0) backplane.ref();
    return new Promise((resolve, reject) => {
      const settle = (/** @type {() => void} */ how) => {
        events.off('connect', onConnect).off('close', onClose);
        if (--this.#waiting === 0 && !backplane.isClosed) backplane.unref();
        how();
      };
      const onConnect = (/** @type {{ connection: string }} */ { connection }) => {
        if (connection === 'pub') settle(resolve);
      };
      const onClose = () => settle(() => reject(emitterClosed()));
      events.on('connect', onConnect).on('close', onClose);
    });
  }

  /** Closes the connections once all has left. @returns {Promise<void>} */
  close() {
    for (const namespace of this.#namespaces.values()) namespace.close();
    this.#namespaces.clear();
    this.backplane.close();
    return this.backplane.closed;
  }
}

function emitterClosed() {
  return closedError('The emitter is closed');
}

module.exports = { EmitterConnections };
