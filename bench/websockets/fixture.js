'use strict';

const path = require('node:path');

const { openLoad, startPatientRedis } = require('../fixture');
const { Child } = require('../ipc');
const { CROWD, KINDS, publicationOf } = require('./messages');

/** ms beyond the time that sending takes, after which those messages that came are all. */
const PATIENCE = 30_000;
/** The engine's own pings are not what is measured: they come after the round. */
const QUIET = { pingInterval: 3_600_000 };

/** A server on one engine, its clients in rooms, a Redis and its load. */
class WebSockets {
  /**
   * @param {string} name
   * @param {object} what
   * @param {Record<string, number>} what.rooms how many clients are in each; the clients of a room have a process
   *   of their own
   * @param {object} [what.options] for Socket.IO
   * @param {string[]} [what.execArgv] for the server's Node
   */
  static async open(name, { rooms, options = QUIET, execArgv }) {
    const sockets = new WebSockets();
    sockets.name = name;
    sockets.rooms = rooms;
    sockets.redis = await startPatientRedis();
    sockets.load = await openLoad(sockets.redis);
    sockets.server = new Child(path.join(__dirname, 'server.js'), execArgv);
    const { port } = await sockets.server.ask('start', { name, redis: sockets.redis.port, options });
    sockets.port = port;
    sockets.crowds = {};
    for (const room of Object.keys(rooms)) sockets.crowds[room] = new Child(path.join(__dirname, 'crowd.js'));
    return sockets;
  }

  /** Connects the clients. @returns {Promise<this>} */
  async connect() {
    for (const [room, count] of Object.entries(this.rooms)) {
      await this.crowds[room].ask('connect', { port: this.port, count, room });
    }
    const count = Object.values(this.rooms).reduce((sum, each) => sum + each, 0);
    await this.server.ask('connections', { name: this.name, count });
    return this;
  }

  /** Broadcasts of another server to the crowd, `rate` a second. */
  remote(count, rate) {
    const message = publicationOf(CROWD, KINDS.broadcast);
    return this.#used(count, rate, () => this.load.ask('stamped', { ...message, count, rate }));
  }

  /**
   * The server's own broadcasts to all, `rate` a second. Its event loop's thread wakes for each; what that alone
   * takes is measured first, and is no part of it.
   */
  async local(count, rate) {
    const idle = await this.#idle(count, rate, count * this.rooms[CROWD]);
    const used = await this.#used(count, rate, () => this.server.ask('emit', { count, rate }));
    return { ...used, main: Math.max(0, used.main - idle.main) };
  }

  /** The server's messages to one client each, `burst` to a turn of the event loop, without what waking takes. */
  async unicast(count, rate, burst) {
    const idle = await this.#idle(count / burst, rate / burst, count);
    await this.server.ask('begin');
    const seen = await this.#collect(CROWD, count, count / rate, () =>
      this.server.ask('unicast', { count, rate, burst }),
    );
    const used = await this.server.ask('end', { count });
    const main = Math.max(0, used.main - idle.main);
    return { ...seen, ...used, ...seen.ages[KINDS.unicast], main, expected: count };
  }

  /** What it takes to wake so often, for each of `messages`. */
  async #idle(count, rate, messages) {
    await this.server.ask('begin');
    await this.server.ask('idle', { count, rate });
    return this.server.ask('end', { count: messages });
  }

  /** The clients' messages to the server, `burst` of them at once. */
  async up(count, rate, burst) {
    let sending;
    const seen = await this.server.ask('receive', { count, patience: patienceOf(count / rate) }, () => {
      sending = this.crowds[CROWD].ask('send', { count, rate, burst });
    });
    await sending;
    return { ...seen, expected: count };
  }

  /** The event loop's delay while another server broadcasts to the crowd. */
  async delay(count, rate) {
    await this.server.ask('watch');
    const message = publicationOf(CROWD, KINDS.broadcast);
    await this.#collect(CROWD, count * this.rooms[CROWD], count / rate, () =>
      this.load.ask('stamped', { ...message, count, rate }),
    );
    return this.server.ask('delay');
  }

  /** What the server uses for each socket, and when the clients get it. */
  async #used(count, rate, send) {
    const expected = count * this.rooms[CROWD];
    await this.server.ask('begin');
    const seen = await this.#collect(CROWD, expected, count / rate, send);
    const used = await this.server.ask('end', { count: expected });
    return { ...seen, ...used, ...seen.ages[KINDS.broadcast], expected };
  }

  /** What a room's clients see of what `send` sends within so many seconds. */
  async #collect(room, count, seconds, send) {
    let sending;
    const seen = await this.crowds[room].ask('collect', { count, patience: patienceOf(seconds) }, () => {
      sending = send();
    });
    await sending;
    return seen;
  }

  /**
   * Messages to rooms at the same time: some of another server, some of this one to one client.
   * @param {Record<string, { kind: string, count: number, rate: number }>} rooms `kind`: `KINDS.unicast` for the
   *   latter
   * @returns {Promise<{ received: number, expected: number, mistake: string, ages: Record<string, any> }>}
   */
  async beside(rooms) {
    const seconds = Math.max(...Object.values(rooms).map(({ count, rate }) => count / rate));
    const streams = Object.entries(rooms).map(([room, stream]) => ({ room, ...stream }));
    const published = streams.filter(({ kind }) => kind !== KINDS.unicast);
    let ready = 0;
    let sending;
    const start = () => {
      ready += 1;
      if (ready < streams.length) return;
      const several = published.map(({ room, kind, count, rate }) => ({ ...publicationOf(room, kind), count, rate }));
      const own = streams.filter(({ kind }) => kind === KINDS.unicast);
      sending = Promise.all([
        this.load.ask('several', { several }),
        ...own.map(({ room, count, rate }) => this.server.ask('unicast', { room, count, rate, burst: 1 })),
      ]);
    };
    const expected = (room) => rooms[room].count * (rooms[room].kind === KINDS.unicast ? 1 : this.rooms[room]);
    const all = await Promise.all(
      streams.map(({ room }) =>
        this.crowds[room].ask('collect', { count: expected(room), patience: patienceOf(seconds) }, start),
      ),
    );
    await sending;
    return {
      received: all.reduce((sum, { received }) => sum + received, 0),
      expected: streams.reduce((sum, { room }) => sum + expected(room), 0),
      mistake: all.find(({ mistake }) => mistake)?.mistake ?? '',
      ages: Object.assign({}, ...all.map(({ ages }) => ages)),
    };
  }

  async close() {
    for (const child of [this.server, this.load, ...Object.values(this.crowds)]) child.stop();
    await this.redis.stop();
  }
}

/** @param {number} seconds that sending takes */
function patienceOf(seconds) {
  return seconds * 1000 + PATIENCE;
}

module.exports = { WebSockets };
