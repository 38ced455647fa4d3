'use strict';

const { randomBytes } = require('node:crypto');
const { setImmediate: nextTurn } = require('node:timers/promises');
const { save, takeOver } = require('./session.js');

const ROOMS = ['lobby', 'rust', 'node'];
const NICK_LENGTH = 24;
const TEXT_LENGTH = 500;
/** What another worker says of one that is about to be killed. */
const LINES = 3;

/** Why something was not done, in words for the page. */
class Refusal extends Error {}

/**
 * @param {unknown} value
 * @param {number} length
 * @returns {string} one line of text, cut to a length
 */
function clean(value, length) {
  if (typeof value !== 'string') return '';
  return [...value.replace(/[\s\p{Cc}]+/gu, ' ').trim()].slice(0, length).join('');
}

/**
 * @param {unknown} room
 * @returns {string}
 */
function knownRoom(room) {
  return ROOMS.find((known) => known === room) ?? ROOMS[0];
}

/**
 * @typedef {object} Person
 * @property {string} who a public name for a person; the client id stays secret, it opens the session
 * @property {string} nick
 * @property {string} room
 * @property {number} sent
 */

/** The chat, as one worker sees it. */
class Chat {
  /** The people on this worker, by their socket. @type {Map<any, Person>} */
  people = new Map();

  /**
   * @param {import('./worker.js').SocketIO} backend
   * @param {{ index: number, pid: number, generation: number }} worker this process
   * @param {(message: { type: string, [detail: string]: unknown }) => void} tell asks something of the process
   *   that has started this one
   */
  constructor(backend, worker, tell) {
    this.backend = backend;
    this.worker = worker;
    this.tell = tell;
    backend.io.sockets.on('connection', (socket) => this.#listen(socket));
  }

  /** @param {any} socket */
  #listen(socket) {
    // What was said before this moment, and arrives after it, the client has missed.
    const connectedAt = Date.now();
    // One thing after another for each socket: reading and writing the store takes a moment.
    let last = Promise.resolve();
    /** @param {() => unknown} task */
    const inOrder = (task) => {
      last = last.then(task).catch((error) => console.error(`worker ${this.worker.index}:`, error.message));
    };
    /** @param {string} event @param {(person: Person, value: unknown) => unknown} action */
    const forPeople = (event, action) =>
      socket.on(event, (value, reply) => inOrder(() => this.#answer(socket, reply, (person) => action(person, value))));

    socket.on('hello', (greeting, reply) => inOrder(() => this.#hello(socket, greeting, reply, connectedAt)));
    forPeople('say', (person, text) => this.#say(socket, person, text));
    forPeople('nick', (person, nick) => this.#rename(socket, person, nick));
    forPeople('room', (person, room) => this.#move(socket, person, room));
    forPeople('kill my worker', ({ room }) => this.tell({ type: 'kill me', room }));
    forPeople('load', (_, on) => this.tell({ type: 'load', on }));
    forPeople('engine', (_, engine) => this.tell({ type: 'engine', engine }));
    forPeople('redis', (_, up) => this.tell({ type: 'redis', up }));
    socket.on('disconnect', () => inOrder(() => this.#leave(socket)));
  }

  /**
   * Does what a person asks for, and replies with null, or with why it was not done.
   * @param {any} socket
   * @param {unknown} reply
   * @param {(person: Person) => unknown} action
   */
  async #answer(socket, reply, action) {
    const answer = typeof reply === 'function' ? reply : () => {};
    const person = this.people.get(socket);
    if (!person) return answer({ message: 'This worker does not know you yet.' });
    try {
      await action(person);
      answer(null); // no error: the page need not send it again
    } catch (error) {
      if (!(error instanceof Refusal)) console.error(`worker ${this.worker.index}:`, error.message);
      answer({ message: error instanceof Refusal ? error.message : 'Redis did not do what it was asked for.' });
    }
  }

  /** @throws {Refusal} where Redis is away: what is said then would reach the other workers late, or never */
  #needRedis() {
    if (this.backend.gone()) throw new Refusal('Redis is away.');
  }

  /** @param {any} socket @param {Person} person */
  #save(socket, person) {
    const { index, pid } = this.worker;
    return save(this.backend.sessionOf(socket), { ...person, worker: index, pid });
  }

  /** @param {object} board what the pages here are to show */
  show(board) {
    this.backend.tellHere([...this.people.keys()], 'board', board);
  }

  /**
   * Says something about a worker that hangs, and resolves once it has left for Redis.
   * @param {unknown} room
   * @param {number} about its index
   */
  async speak(room, about) {
    const { backend, worker } = this;
    if (backend.gone()) return;
    const left = () => {
      const { published, unconfirmed, dropped } = backend.stats();
      return published + unconfirmed + dropped;
    };
    const last = left() + backend.stats().queues.publish.messages + LINES;
    const speaker = { who: `worker ${worker.index}`, nick: `worker ${worker.index}`, room: knownRoom(room) };
    for (let i = 1; i <= LINES; i++) {
      const text = `Worker ${about} hangs and will be killed. Its people miss this (${i} of ${LINES}).`;
      this.#announce(speaker, 'said', { text, sent: 0 });
    }
    while (!backend.gone() && left() < last) await nextTurn();
  }

  /**
   * One emit reaches the room's people on all workers: that is the store's work.
   * @param {Person} person
   * @param {string} event
   * @param {object} data
   */
  #announce({ who, nick, room }, event, data) {
    this.backend.io.sockets.in(room).emit(event, { who, nick, room, worker: this.worker, at: Date.now(), ...data });
  }

  /**
   * Answers with the person, and with where the session comes from if it was taken over.
   * @param {any} socket
   * @param {any} greeting
   * @param {unknown} reply
   * @param {number} connectedAt when it came, in ms since the epoch
   */
  async #hello(socket, greeting, reply, connectedAt) {
    if (this.people.has(socket) || typeof reply !== 'function') return;
    const { backend, worker } = this;
    const old = backend.gone() ? null : await takeOver(backend, greeting?.previous, socket);
    const person = {
      who: old?.who ?? randomBytes(6).toString('hex'),
      nick: clean(old?.nick ?? greeting?.nick, NICK_LENGTH) || `guest ${randomBytes(2).toString('hex')}`,
      room: knownRoom(old?.room ?? greeting?.room),
      sent: Number(old?.sent ?? 0),
    };
    // Without Redis it is written with what is said first.
    if (!backend.gone()) await this.#save(socket, person);
    if (socket.disconnected) return;
    this.people.set(socket, person);
    socket.join(person.room);
    const takenFrom = old && { index: Number(old.worker), pid: Number(old.pid) };
    reply({ ...person, worker, takenFrom, connectedAt });
    this.#announce(person, 'notice', takenFrom ? { kind: 'back', takenFrom } : { kind: 'came' });
  }

  /**
   * @param {any} socket
   * @param {Person} person
   * @param {unknown} text
   */
  async #say(socket, person, text) {
    const line = clean(text, TEXT_LENGTH);
    if (!line) throw new Refusal('There is nothing in it.');
    this.#needRedis();
    await this.#save(socket, { ...person, sent: person.sent + 1 });
    person.sent++;
    this.#announce(person, 'said', { text: line, sent: person.sent });
  }

  /**
   * @param {any} socket
   * @param {Person} person
   * @param {unknown} wanted
   */
  async #rename(socket, person, wanted) {
    const nick = clean(wanted, NICK_LENGTH);
    if (!nick || nick === person.nick) return;
    this.#needRedis();
    await this.#save(socket, { ...person, nick });
    const before = person.nick;
    person.nick = nick;
    this.#announce(person, 'notice', { kind: 'renamed', before });
  }

  /**
   * @param {any} socket
   * @param {Person} person
   * @param {unknown} wanted
   */
  async #move(socket, person, wanted) {
    const room = knownRoom(wanted);
    if (room === person.room) return;
    this.#needRedis();
    await this.#save(socket, { ...person, room });
    socket.leave(person.room);
    this.#announce(person, 'notice', { kind: 'left' });
    person.room = room;
    socket.join(room);
    this.#announce(person, 'notice', { kind: 'came' });
  }

  /** @param {any} socket */
  #leave(socket) {
    const person = this.people.get(socket);
    this.people.delete(socket);
    if (person) this.#announce(person, 'notice', { kind: 'left' });
  }
}

module.exports = { Chat };
