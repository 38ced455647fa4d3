'use strict';

const { socketOf } = require('./socket-io');
const { decodeSession, encodeSession } = require('./wire/streams');
const { encodeError } = require('../errors');
const { clearImmediate, clearInterval, now, setImmediate, setInterval } = require('../timers');

/** How often sessions are looked at for data that changed without an event of the client, in ms. */
const SWEEP = 5000;
/** How many are looked at between other work. */
const SLICE = 100;

/**
 * What is known of a session that is written before its socket is gone.
 * @typedef {{ socket: any, written: string, at: number }} Kept
 */

/**
 * The sessions of sockets in Redis, by which these can be recovered: written when a connection breaks, or as long as
 * there is one (`persistSessions: 'always'`), for servers that end without a goodbye.
 */
class Sessions {
  #native;
  #nsp;
  #prefix;
  #ttl;
  #always;
  #parserOf;
  #limits;
  #report;
  /** By the ids of the sockets. @type {Map<string, Kept>} */
  #kept = new Map();
  /** The ids of those that may have changed. @type {Set<string>} */
  #changed = new Set();
  /** @type {NodeJS.Immediate | undefined} */
  #flushing;
  /** @type {NodeJS.Timeout | undefined} */
  #sweeping;

  /**
   * @param {object} namespace
   * @param {any} namespace.native a `NativeAdapter`
   * @param {any} namespace.nsp
   * @param {string} namespace.prefix what keys begin with
   * @param {number} namespace.ttl how long they stay, in ms
   * @param {boolean} namespace.always whether they are written as long as there is a connection
   * @param {() => import('./wire/common').Parser} namespace.parserOf loads the parser
   * @param {import('./wire/valid').Limits} namespace.limits
   * @param {(error: Error) => void} namespace.report
   */
  constructor({ native, nsp, prefix, ttl, always, parserOf, limits, report }) {
    this.#native = native;
    this.#nsp = nsp;
    this.#prefix = prefix;
    this.#ttl = ttl;
    this.#always = always;
    this.#parserOf = parserOf;
    this.#limits = limits;
    this.#report = report;
    if (!always) return;
    this.#sweeping = setInterval(() => this.#sweep(), Math.min(SWEEP, Math.max(1, ttl / 4)));
    this.#sweeping.unref();
    for (const id of nsp.sockets.keys()) this.touched(id);
  }

  /**
   * Writes the session of a socket whose connection has broken.
   * @param {import('./wire/streams').Session} session
   */
  persist(session) {
    this.#forget(session.sid);
    const text = this.#encode(session);
    if (text !== undefined) this.#write(session.pid, text);
  }

  /** A socket has come, or something about it may have changed. @param {string} id */
  touched(id) {
    if (!this.#always) return;
    if (!this.#kept.has(id)) this.#keep(id);
    if (!this.#kept.has(id)) return;
    this.#changed.add(id);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  /** Begins to write the session of a socket, once it is connected. */
  #keep(id) {
    const socket = socketOf(this.#nsp, id);
    if (socket === undefined || typeof socket.pid !== 'string') return;
    this.#kept.set(id, { socket, written: '', at: 0 });
    // Handlers run after that, and change what the socket carries.
    socket.onAny(() => this.touched(id));
  }

  #flush() {
    this.#flushing = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#refresh(changed);
  }

  /** Writes those of some sessions that have changed, or that would end before the next look. */
  #refresh(ids) {
    for (const id of ids) {
      const kept = this.#kept.get(id);
      if (kept === undefined) continue;
      const { socket } = kept;
      if (socketOf(this.#nsp, id) !== socket) {
        this.#forget(id);
        continue;
      }
      const text = this.#encode({ sid: id, pid: socket.pid, rooms: [...socket.rooms], data: socket.data });
      if (text === undefined || (text === kept.written && now() - kept.at < this.#ttl / 2)) continue;
      kept.written = text;
      kept.at = now();
      this.#write(socket.pid, text);
    }
  }

  #sweep() {
    const ids = [...this.#kept.keys()];
    const next = () => {
      this.#refresh(ids.splice(0, SLICE));
      if (ids.length > 0) setImmediate(next);
    };
    next();
  }

  /** @returns {string | undefined} nothing where it cannot be encoded, which is reported */
  #encode(session) {
    try {
      return encodeSession(session, this.#parserOf);
    } catch (cause) {
      this.#report(encodeError(cause));
      return undefined;
    }
  }

  #write(pid, text) {
    this.#native.setSession(this.#prefix + pid, text, this.#ttl, 0);
  }

  /** A socket is gone for good, unless its session was written before. @param {string} id */
  gone(id) {
    const kept = this.#kept.get(id);
    if (kept === undefined || socketOf(this.#nsp, id) !== kept.socket) return;
    this.#forget(id);
    this.remove(kept.socket.pid);
  }

  /** Removes a session. @param {string} pid */
  remove(pid) {
    this.#native.deleteSession(this.#prefix + pid, 0);
  }

  /** What becomes of a socket's session is no longer the business of this server. @param {string} id */
  release(id) {
    this.#forget(id);
  }

  #forget(id) {
    this.#kept.delete(id);
    this.#changed.delete(id);
  }

  /**
   * Takes a session, which nobody else can take then.
   * @param {string} pid
   * @param {(send: (ticket: number) => void) => Promise<any>} ask
   * @returns {Promise<import('./wire/streams').Session | undefined>} nothing where there is none, or no valid one
   */
  async take(pid, ask) {
    const text = await this.#takeText(this.#prefix + pid, ask);
    if (text === null) return undefined;
    const session = decodeSession(text, pid, this.#parserOf, this.#limits);
    // Should this server end before the socket is there, another one finds it still.
    if (session !== undefined) this.#write(pid, text);
    return session;
  }

  async #takeText(key, ask) {
    try {
      return await ask((ticket) => this.#native.takeSession(key, ticket));
    } catch (error) {
      // Redis before 6.2.
      if (!/unknown command/i.test(/** @type {any} */ (error)?.message)) throw error;
    }
    const text = ask((ticket) => this.#native.getSession(key, ticket));
    this.#native.deleteSession(key, 0);
    return text;
  }

  /** The socket is there: its session is written again when it changes, or its connection breaks. @param {string} pid */
  recovered(pid) {
    if (!this.#always) this.remove(pid);
  }

  /** Writes no session any more. */
  close() {
    clearImmediate(/** @type {any} */ (this.#flushing));
    clearInterval(this.#sweeping);
    this.#kept.clear();
    this.#changed.clear();
  }
}

module.exports = { Sessions };
