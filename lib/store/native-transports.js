'use strict';

/**
 * The one file that changes what is inside Socket.IO 0.9: its WebSocket transports are handed to the native side, and
 * what is broadcast is written by it, so that 0.9 loops over the transports that are not native alone.
 */

const { optionError } = require('../errors');
const { obstacleOf } = require('../websocket/node-socket');
const { readOptions } = require('../websocket/options');
const { socketsOf } = require('../websocket/sockets');
const { idOf, WebSocket } = require('../websocket/web-socket');

/** The versions of the protocol whose frames are those of RFC 6455, as 0.9's transports name them. */
const PROTOCOLS = ['16', '07-12'];
/** The `code` of what is longer than `destroy buffer size`. */
const TOO_LONG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
/** Half of a surrogate pair: the native side cannot tell these apart. */
const HALF_PAIR = /\p{Surrogate}/u;

/**
 * A client that has a transport here, or that packets are kept for.
 * @typedef {object} Member
 * @property {number} number the native side's
 * @property {number} connection the native connection that is written to; 0 where JavaScript writes
 * @property {number} received the same for broadcasts of Redis that are handed out now
 */

/** The native transports of a manager. */
class NativeTransports {
  #manager;
  #native;
  /** A `NativeFanout`. */
  #fanout;
  #backplane;
  #sockets = socketsOf();
  #limits;
  /** By transport, of those that have been looked at; `null` where 0.9 writes. @type {WeakMap<object, InstanceType<typeof WebSocket> | null>} */
  #webSockets = new WeakMap();
  /** By the clients' ids. @type {Map<string, Member>} */
  #members = new Map();
  /** The ids of those that JavaScript writes to, now or what has arrived before. @type {Set<string>} */
  #others = new Set();
  #open = 0;
  /** @type {Record<string, number>} */
  #fallbacks = {};

  /**
   * @param {any} manager of 0.9
   * @param {any} native a `NativeStore`
   * @param {InstanceType<typeof import('../backplane').Backplane>} backplane
   * @throws {TypeError} `ERR_INVALID_OPTION`
   */
  constructor(manager, native, backplane) {
    if (typeof manager?.handleClient !== 'function' || typeof manager.onDispatch !== 'function') {
      throw optionError('io', 'it must be what socket.io 0.9 returns from listen().');
    }
    this.#manager = manager;
    this.#native = native;
    this.#backplane = backplane;
    this.#limits = { maxBufferedAmount: readOptions({}).maxBufferedAmount };
    this.#fanout = native.useWebSockets(this.#sockets.native);
    this.#override();
    // Not by its transports, which all managers of a process share.
    for (const id of Object.keys({ ...manager.connected, ...manager.closed })) this.#refresh(id);
  }

  /** Has the manager's methods report what they change. */
  #override() {
    const manager = this.#manager;
    const after = (/** @type {string} */ name, /** @type {(...args: any[]) => void} */ report) => {
      const method = manager[name];
      manager[name] = (/** @type {any[]} */ ...args) => {
        const result = method.apply(manager, args);
        report(...args);
        return result;
      };
    };
    after('onConnect', (id) => {
      // The manager has a new client's transport, and fires its `connection` next.
      this.#take(id);
      // Nothing of Redis may overtake what the manager writes to a new client: JavaScript's until that is done.
      if (!this.#members.has(id)) this.#refresh(id, 0);
    });
    after('handleClient', ({ id }) => {
      this.#take(id);
      this.#refresh(id);
    });
    for (const name of ['onOpen', 'onClose', 'onDisconnect']) after(name, (id) => this.#refresh(id));
    after('onJoin', (id, room) => this.#joined(id, room));
    after('onLeave', (id, room) => this.#left(id, room));
    const all = manager.onDispatch;
    manager.onDispatch = (room, packet, volatile, exceptions) => {
      if (isTold(room)) this.#dispatch(room, packet, volatile, exceptions);
      else all.call(manager, room, packet, volatile, exceptions);
    };
  }

  /** Hands the connection of a transport that has just opened to the native side, if it can be. */
  #take(id) {
    const transport = this.#manager.transports[id];
    if (!transport?.open || this.#webSockets.has(transport)) return;
    const { req } = transport;
    // It is there while the upgrade is handled; older transports have read already.
    if (!req.head) return;
    this.#webSockets.set(transport, null);
    if (transport.name !== 'websocket' && transport.name !== 'flashsocket') return;
    const obstacle = PROTOCOLS.includes(transport.protocolVersion) ? obstacleOf(req.socket) : 'protocol';
    if (obstacle !== undefined) return this.#fallBack(obstacle);
    const webSocket = new WebSocket(this.#sockets, req.socket, '');
    const maxPayload = this.#manager.get('destroy buffer size') || 0;
    const limits = { maxPayload, ...this.#limits };
    const { id: number, rest } = this.#sockets.adopt(req.socket, req.head, '', limits, () => webSocket.terminate());
    if (rest !== undefined) {
      // 0.9 goes on with the socket, and gets what was taken from it.
      if (rest.length > 0) req.socket.unshift(rest);
      return this.#fallBack('failed');
    }
    this.#webSockets.set(transport, webSocket);
    this.#open++;
    connect(transport, webSocket);
    webSocket.open(number, () => this.#open--);
  }

  #fallBack(reason) {
    this.#fallbacks[reason] = (this.#fallbacks[reason] ?? 0) + 1;
  }

  /** The native connection that a client's packets go to; 0 where there is none. */
  #connectionOf(id) {
    const transport = this.#manager.transports[id];
    return (transport?.open && idOf(Object(this.#webSockets.get(transport)))) || 0;
  }

  /** A client may have come, gone, or changed its transport. */
  #refresh(id, connection = this.#connectionOf(id)) {
    const { connected, transports, closed } = this.#manager;
    // The manager keeps `closed` for those that it has refused, too.
    const isHere = connected[id] && (Boolean(transports[id]) || closed[id] !== undefined);
    const member = this.#members.get(id);
    if (!isHere) this.#remove(id, member);
    else if (member === undefined) this.#add(id, connection);
    else this.#change(id, member, connection);
  }

  #add(id, connection) {
    const number = this.#fanout.add(connection);
    // Exceptions are clients.
    this.#fanout.join(number, `\0${id}`);
    this.#members.set(id, { number, connection, received: connection });
    if (connection === 0) this.#others.add(id);
    for (const room of Object.keys(this.#manager.roomClients[id] ?? {})) this.#joined(id, room);
  }

  #remove(id, member) {
    if (member === undefined) return;
    this.#members.delete(id);
    this.#others.delete(id);
    this.#fanout.remove(member.number);
  }

  #change(id, member, connection) {
    if (connection === member.connection) return;
    member.connection = connection;
    this.#others.add(id);
    const chunk = this.#fanout.setNative(member.number, connection);
    // Broadcasts that were decided about before may still wait to be handed out.
    this.#backplane.whenDrained(chunk, () => {
      member.received = connection;
      if (member.connection !== 0 && this.#members.get(id) === member) this.#others.delete(id);
      if (connection === 0) return;
      this.#sockets.native.uncork(connection);
      this.#sockets.flushSoon();
    });
  }

  #joined(id, room) {
    const member = this.#members.get(id);
    if (member !== undefined && isTold(room)) this.#fanout.join(member.number, room);
  }

  #left(id, room) {
    const member = this.#members.get(id);
    if (member !== undefined && isTold(room)) this.#fanout.leave(member.number, room);
  }

  /** In the place of the manager's `onDispatch`. */
  #dispatch(room, packet, volatile, exceptions) {
    // What has come from Redis, native transports have got.
    const isReceived = exceptions === this.#backplane.inbox.dispatched;
    if (!isReceived) {
      const ids = exceptions.length === 0 ? '' : JSON.stringify(exceptions);
      const hasOthers = this.#native.dispatchHere(room, packet, ids);
      this.#sockets.flushSoon();
      if (!hasOthers) return;
    }
    for (const id of this.#othersIn(room)) {
      const member = this.#members.get(id);
      const connection = isReceived ? member?.received : member?.connection;
      if (connection !== 0 || exceptions.indexOf(id) >= 0) continue;
      const transport = this.#manager.transports[id];
      if (transport?.open) transport.onDispatch(packet, volatile);
      else if (!volatile) this.#manager.onClientDispatch(id, packet);
    }
  }

  /** Who of a room is in `#others`. A room has the clients of all nodes, so either may be by far the smaller one. */
  #othersIn(room) {
    const { rooms, roomClients } = this.#manager;
    if (!Object.hasOwn(rooms, room)) return [];
    if (rooms[room].length < this.#others.size) return rooms[room].filter((id) => this.#others.has(id));
    return [...this.#others].filter((id) => Object.hasOwn(roomClients[id] ?? {}, room));
  }

  /** @returns {{ native: number, fallbacks: Record<string, number> }} */
  stats() {
    return { native: this.#open, fallbacks: { ...this.#fallbacks } };
  }
}

/** Whether the native side may know of a room: 0.9's own begin with a slash, or are empty. */
function isTold(room) {
  return typeof room === 'string' && !room.startsWith('\0') && !HALF_PAIR.test(room);
}

/**
 * Has a transport of 0.9 use a native connection in the place of its socket.
 * @param {any} transport
 * @param {InstanceType<typeof WebSocket>} webSocket
 */
function connect(transport, webSocket) {
  const { parser, socket } = transport;
  transport.clearHandlers();
  socket.removeAllListeners('data');
  socket.on('error', () => {});
  transport.write = (/** @type {any} */ data) => {
    if (!transport.open) return;
    webSocket.send(String(data));
    transport.log.debug(`${transport.name} writing`, data);
  };
  transport.doClose = () => webSocket.close();
  // 0.9's own parser has the listeners that handle messages.
  webSocket.on('message', (/** @type {any} */ data) => parser.emit('data', String(data)));
  webSocket.on('error', ({ code, message }) => parser.emit(code === TOO_LONG ? 'kick' : 'error', message));
  webSocket.on('close', (/** @type {number} */ code) => {
    if (transport.discarded) return;
    if (code === 1006) transport.onSocketEnd();
    else transport.end();
  });
}

module.exports = { NativeTransports };
