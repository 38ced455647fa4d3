'use strict';

const { Handover } = require('./handover');
const types = require('./types');
const { Rest } = require('./outgoing');
const { Questions } = require('./questions');
const { crosses, crossing } = require('./room-names');
const { Sessions } = require('./sessions');
const { socketOf } = require('./socket-io');
const { PersistSessions } = require('./stream-options');
const { decodeMissed } = require('./wire/streams');
const { isPacket } = require('./wire/valid');
const { MAX_TIMEOUT } = require('../backplane/options');
const { isWholeNumber } = require('../values');

/** As Socket.IO has it, in ms. */
const TWO_MINUTES = 120_000;
/** The id of an entry: ms, and a number among those of the same one. */
const OFFSET = /^(\d{1,20})-(\d{1,20})$/;
/** Longer than any id that a server makes. */
const MAX_ID = 64;
/** How many pages of the stream are read in one go. */
const STRETCH = 4;
/** How many times one recovery may do that: millions of entries. */
const MAX_STRETCHES = 1000;

/**
 * The recovery of sockets in a namespace: `connectionStateRecovery` of Socket.IO.
 *
 * Clients say how far they have come by the id of one entry, so each has to get packets in the order of the stream:
 * what is broadcast here is written here when it comes back by the stream, like all that other servers broadcast.
 * So are requests that change who gets what.
 */
class Recovery {
  #native;
  #id;
  #nsp;
  #inbox;
  #handover;
  #outgoing;
  #localSockets;
  #parserOf;
  #limits;
  #most;
  #malformed;
  #takeOver;
  #isPublishing;
  /** Whether what is added comes back. */
  #isReading = false;
  #questions;
  #sessions;

  /**
   * @param {object} namespace
   * @param {any} namespace.native a `NativeAdapter`
   * @param {number} namespace.id its number for the namespace
   * @param {any} namespace.nsp
   * @param {{ registerCallback: (callback: Function) => number }} namespace.inbox
   * @param {InstanceType<typeof import('./outgoing').Outgoing>} namespace.outgoing
   * @param {InstanceType<typeof import('./local-sockets').LocalSockets>} namespace.localSockets
   * @param {NonNullable<import('./shared-connections').Settings['streams']>} namespace.settings
   * @param {string} namespace.stream its stream
   * @param {import('./wire/valid').Limits} namespace.limits
   * @param {() => import('./wire/common').Parser} namespace.parserOf loads the parser
   * @param {(error: Error) => void} namespace.report
   * @param {() => boolean} namespace.isPublishing whether Redis is there
   * @param {() => void} namespace.malformed counts an entry that is not valid
   * @param {(request: any) => void} namespace.takeOver tells the other servers that a socket is here now
   */
  constructor(namespace) {
    const { native, id, nsp, inbox, outgoing, localSockets, settings, limits, parserOf, report } = namespace;
    this.#native = native;
    this.#id = id;
    this.#nsp = nsp;
    this.#inbox = inbox;
    this.#questions = new Questions(inbox);
    this.#handover = new Handover(
      () => this.#questions.ask((ticket) => native.hold(id, ticket)),
      () => native.release(namespace.stream),
    );
    this.#outgoing = outgoing;
    this.#localSockets = localSockets;
    this.#parserOf = parserOf;
    this.#limits = limits;
    this.#most = settings.recovery;
    this.#malformed = namespace.malformed;
    this.#takeOver = namespace.takeOver;
    this.#isPublishing = namespace.isPublishing;
    const { maxDisconnectionDuration: ttl } = nsp.server.opts.connectionStateRecovery;
    this.#sessions = new Sessions({
      native,
      nsp,
      prefix: settings.sessionKeyPrefix,
      ttl: isWholeNumber(Math.ceil(ttl), 1, MAX_TIMEOUT) ? Math.ceil(ttl) : TWO_MINUTES,
      always: settings.persistSessions === PersistSessions.ALWAYS,
      parserOf,
      limits,
      report,
    });
  }

  /** All that is added to the stream from now on comes back by it. */
  begin() {
    this.#isReading = true;
  }

  /**
   * Whether what is broadcast waits until it comes back. At the beginning, and while Redis is away, it is written here
   * at once and without an offset, and added to the stream once that is possible.
   */
  get isInOrder() {
    return this.#isReading && this.#isPublishing();
  }

  /**
   * Adds a broadcast to the stream. It is written here when it comes back; at once and without an offset where Redis
   * does not take it.
   * @param {any} packet
   * @param {any[]} packets what the server's encoder made of it
   * @param {any} opts as Socket.IO passes them
   * @throws {Error} `ERR_ENCODE`
   */
  broadcast(packet, packets, opts) {
    const here = () => this.#localSockets.write(opts, packet, packets, Rest.ALL);
    // Such rooms are local: no socket of another server can be in them.
    if (opts.rooms.size > 0 && ![...opts.rooms].some(crosses)) here();
    else this.#outgoing.add(packet, packets, opts, () => this.#unlessTaken(here));
  }

  /**
   * Adds a request to the stream, which is done here when it comes back, or at once where Redis does not take it.
   * @param {{ type: number, data: string }} request
   * @param {() => void} here does it here
   */
  request({ type, data }, here) {
    this.#native.addRequest(this.#id, type, data, this.#unlessTaken(here));
  }

  /** @param {() => void} here called where Redis does not take it @returns {number} the ticket for its answer */
  #unlessTaken(here) {
    const ticket = this.#inbox.registerCallback((/** @type {Error | null} */ error) => {
      // Redis may have taken it all the same, and it may be back already.
      if (error !== null && this.#native.giveUp(this.#id, ticket)) here();
    });
    return ticket;
  }

  /** Writes the session of a socket whose connection has broken. @param {any} session */
  persist(session) {
    this.#sessions.persist(session);
  }

  /** A socket has come, or something about it may have changed. @param {string} id */
  touched(id) {
    this.#sessions.touched(id);
  }

  /** A socket is gone. @param {string} id */
  gone(id) {
    this.#sessions.gone(id);
  }

  /** A socket is on another server now; its connection here is dead. @param {string} sid @param {unknown} pid */
  released(sid, pid) {
    const socket = socketOf(this.#nsp, sid);
    if (socket === undefined || socket.pid !== pid) return;
    this.#sessions.release(sid);
    socket.disconnect(true);
  }

  /**
   * What a socket needs that comes back.
   * @param {unknown} pid the session's secret id, as the client says it
   * @param {unknown} offset the id of the last entry that the client has seen, as it says
   * @returns {Promise<any>} `{ sid, pid, rooms, data, missedPackets }`; rejects where there is no such session any
   *   more, or too much was missed
   */
  async restore(pid, offset) {
    if (typeof offset !== 'string' || !OFFSET.test(offset)) throw new Error('invalid offset');
    if (typeof pid !== 'string' || pid === '' || pid.length > MAX_ID) throw new Error('invalid session');
    const ask = (/** @type {(ticket: number) => void} */ send) => this.#questions.ask(send);
    const [session, found] = await Promise.all([
      this.#sessions.take(pid, ask),
      ask((ticket) => this.#native.hasEntry(this.#id, offset, ticket)),
    ]);
    if (session === undefined || found.length === 0) {
      if (session !== undefined) this.#sessions.remove(pid);
      throw new Error('session or offset not found');
    }
    const missedPackets = await this.#missed(session.rooms, offset);
    // From here to the socket there are microtasks alone: nothing is handed out meanwhile.
    this.#settle(session);
    return { ...session, data: session.data ?? {}, missedPackets };
  }

  /** The socket is here, and nowhere else. */
  #settle({ sid, pid }) {
    this.#sessions.recovered(pid);
    this.#takeOver({ type: types.TAKEN_OVER, opts: { rooms: [sid], except: [] }, rooms: [pid] });
    this.released(sid, pid);
  }

  /**
   * The packets behind an offset that are not handed out any more; those that are find the socket.
   * @param {(string | number)[]} rooms
   * @param {string} offset
   */
  async #missed(rooms, offset) {
    const read = this.#reader(JSON.stringify(crossing(rooms)), offset);
    for (;;) {
      while (await read.on());
      const missed = await this.#handover.stop(async (stopped) => {
        // All that was handed out stands in the stream by now.
        const [position, isMore] = await Promise.all([stopped, read.on()]);
        // What the client has seen elsewhere has to be handed out here first, or it would come again.
        const isEarly = position !== null && compare(position, offset) < 0;
        if (isEarly || (position !== null && isMore && compare(read.at, position) < 0)) return null;
        const { packets } = read;
        while (position !== null && packets.length > 0 && isBehind(packets[packets.length - 1], position))
          packets.pop();
        return packets;
      });
      if (missed !== null) return missed;
    }
  }

  /** Reads the stream behind an offset, page by page. @param {string} names JSON text of rooms @param {string} offset */
  #reader(names, offset) {
    let { packets: left, bytes } = this.#most;
    let stretches = 0;
    const take = (/** @type {any[]} */ [size, ...page]) => {
      bytes -= size;
      left -= page.length;
      if (left < 0 || bytes < 0) throw new Error('too much was missed');
      for (const item of page) {
        const data = this.#decode(item);
        if (data !== undefined) read.packets.push(data);
      }
    };
    const read = {
      at: offset,
      packets: /** @type {any[][]} */ ([]),
      /** @returns {Promise<boolean>} whether there may be more */
      on: async () => {
        if (++stretches > MAX_STRETCHES) throw new Error('too much was missed');
        const ask = (/** @type {number[]} */ tickets) => this.#native.missed(this.#id, read.at, names, tickets);
        const replies = this.#questions.askEach(2 * STRETCH, ask);
        let isFull = true;
        for (let page = 0; isFull && page < STRETCH; page++) {
          const [head, packets] = await Promise.all(replies.slice(2 * page, 2 * page + 2));
          if (head === null || packets === null) throw new Error('a page could not be read');
          take(packets);
          isFull = head[1];
          read.at = head[0] ?? read.at;
        }
        return isFull;
      },
    };
    return read;
  }

  /** @returns {any[] | undefined} nothing when it is not valid */
  #decode(item) {
    // The native side has looked at it.
    if (Array.isArray(item)) return item;
    const data = decodeMissed(item, this.#parserOf, this.#limits);
    if (isPacket({ type: 2, data }, this.#limits)) return data;
    this.#malformed();
    return undefined;
  }

  /** @param {Error} error for what waits */
  close(error) {
    this.#questions.close(error);
    this.#sessions.close();
  }
}

/**
 * Whether a packet gets an offset: an event that wants no acknowledgement, and that is not lost on purpose.
 * @param {any} packet
 * @param {any} flags
 */
function isRecoverable({ type, id }, flags) {
  return type === 2 && id === undefined && flags?.volatile === undefined;
}

/** Which of two ids is larger, as `Array.prototype.sort` takes it. */
function compare(a, b) {
  const [ms, number] = a.split('-').map(BigInt);
  const [otherMs, otherNumber] = b.split('-').map(BigInt);
  const difference = ms === otherMs ? number - otherNumber : ms - otherMs;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** @param {any[]} data that ends with an id @param {string} position */
function isBehind(data, position) {
  return compare(data[data.length - 1], position) > 0;
}

module.exports = { isRecoverable, Recovery };
