'use strict';

const { randomBytes } = require('node:crypto');
const { get, save, takeOver } = require('./session.js');

const ROOMS = ['lobby', 'rust', 'node'];
const NICK_LENGTH = 24;
const TEXT_LENGTH = 500;

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
    // One thing after another for each socket: reading and writing the store takes a moment.
    let last = Promise.resolve();
    /** @param {() => unknown} task */
    const inOrder = (task) => {
      last = last.then(task).catch((error) => console.error(`worker ${this.worker.index}:`, error.message));
    };
    /** @param {(person: Person, value: unknown) => unknown} action */
    const forPeople = (action) => (value, reply) =>
      inOrder(async () => {
        const person = this.people.get(socket);
        if (!person) return;
        await action(person, value);
        if (typeof reply === 'function') reply(null); // no error: the page need not send it again
      });

    socket.on('hello', (greeting, reply) => inOrder(() => this.#hello(socket, greeting, reply)));
    socket.on(
      'say',
      forPeople((person, text) => this.#say(socket, person, text)),
    );
    socket.on(
      'nick',
      forPeople((person, nick) => this.#rename(socket, person, nick)),
    );
    socket.on(
      'room',
      forPeople((person, room) => this.#move(socket, person, room)),
    );
    socket.on(
      'kill my worker',
      forPeople(() => this.tell({ type: 'kill me' })),
    );
    socket.on(
      'load',
      forPeople((_, on) => this.tell({ type: 'load', on: on === true })),
    );
    socket.on(
      'engine',
      forPeople((_, engine) => this.tell({ type: 'engine', engine })),
    );
    socket.on('disconnect', () => inOrder(() => this.#leave(socket)));
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
   */
  async #hello(socket, greeting, reply) {
    if (this.people.has(socket) || typeof reply !== 'function') return;
    const { backend, worker } = this;
    const old = await takeOver(backend, greeting?.previous, socket);
    const person = {
      who: old?.who ?? randomBytes(6).toString('hex'),
      nick: clean(old?.nick ?? greeting?.nick, NICK_LENGTH) || `guest ${randomBytes(2).toString('hex')}`,
      room: knownRoom(old?.room ?? greeting?.room),
      sent: Number(old?.sent ?? 0),
    };
    await save(backend.sessionOf(socket), { ...person, worker: worker.index, pid: worker.pid });
    if (socket.disconnected) return;
    this.people.set(socket, person);
    socket.join(person.room);
    const takenFrom = old && { index: Number(old.worker), pid: Number(old.pid) };
    reply({ ...person, worker, takenFrom });
    this.#announce(person, 'notice', takenFrom ? { kind: 'back', takenFrom } : { kind: 'came' });
  }

  /**
   * @param {any} socket
   * @param {Person} person
   * @param {unknown} text
   */
  async #say(socket, person, text) {
    const line = clean(text, TEXT_LENGTH);
    if (!line) return;
    const session = this.backend.sessionOf(socket);
    person.sent = Number(await get(session, 'sent')) + 1;
    await save(session, { sent: person.sent });
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
    await save(this.backend.sessionOf(socket), { nick });
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
    await save(this.backend.sessionOf(socket), { room });
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
