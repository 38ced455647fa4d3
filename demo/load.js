'use strict';

/**
 * Clients that do nothing but get messages, in a process of their own: what a message to a socket costs a worker shows
 * only where there are many.
 *
 *     node demo/load.js HOST PORT store|adapter
 */

const { fork } = require('node:child_process');
const WebSocket = require('ws');

const CLIENTS = 400;
/** Messages a second, each to all of them. */
const RATE = 20;
const ROOM = 'load';
const TEXT_LENGTH = 150;
const TEXT = 'x'.repeat(TEXT_LENGTH);
/** It ends by itself: a page may have been left open. */
const LONGEST = 5 * 60_000; // ms
const CONNECT_AGAIN = 200; // ms

/** Starts and ends the process. */
class Load {
  #args;
  /** @type {import('node:child_process').ChildProcess | null} */
  #child = null;
  /** @type {NodeJS.Timeout | undefined} */
  #end;

  /** @param {string} host @param {number} port @param {string} version `store` or `adapter` */
  constructor(host, port, version) {
    this.#args = [host, String(port), version];
  }

  /** @returns {boolean} whether it floods */
  get isOn() {
    return this.#child !== null;
  }

  /** @param {boolean} on */
  turn(on) {
    if (on === this.isOn) return;
    clearTimeout(this.#end);
    if (!on) {
      this.#child?.kill();
      this.#child = null;
      return;
    }
    const child = fork(__filename, this.#args);
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    this.#end = setTimeout(() => this.turn(false), LONGEST);
    this.#end.unref();
  }
}

/** How a client of each version connects and talks. */
const PROTOCOLS = {
  /** @param {string} host */
  async store(host) {
    const answer = await fetch(`http://${host}/socket.io/1/`, { headers: { origin: `http://${host}` } });
    const [id] = (await answer.text()).split(':');
    return {
      url: `ws://${host}/socket.io/1/websocket/${id}`,
      event: (name, ...args) => `5:::${JSON.stringify({ name, args })}`,
      /** What the server sends first, once the client is connected. */
      greeting: '1::',
      /** What the client answers. */
      answers: { '2::': '2::' },
    };
  },
  async adapter(host) {
    return {
      url: `ws://${host}/socket.io/?EIO=4&transport=websocket`,
      event: (name, ...args) => `42${JSON.stringify([name, ...args])}`,
      greeting: '40{',
      answers: { 2: '3' },
      hello: '40',
    };
  },
};

/**
 * Keeps one client connected.
 * @param {string} host
 * @param {string} version
 * @param {boolean} isFirst whether it is the one that asks for messages
 */
async function keepConnected(host, version, isFirst) {
  for (;;) {
    await connectOnce(host, version, isFirst).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN));
  }
}

async function connectOnce(host, version, isFirst) {
  const { url, event, greeting, answers, hello } = await PROTOCOLS[version](host);
  const socket = new WebSocket(url, { origin: `http://${host}`, perMessageDeflate: false });
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', resolve);
    socket.on('open', () => hello && socket.send(hello));
    socket.on('message', (data) => {
      const text = String(data);
      if (answers[text]) socket.send(answers[text]);
      if (!text.startsWith(greeting)) return;
      socket.send(event('join the load'));
      if (isFirst) timer = setInterval(() => socket.send(event('tick', TEXT)), 1000 / RATE);
    });
  }).finally(() => clearInterval(timer));
}

if (require.main === module) {
  const [host, port, version] = process.argv.slice(2);
  process.on('disconnect', () => process.exit()); // the demo has ended
  for (let i = 0; i < CLIENTS; i++) keepConnected(`${host}:${port}`, version, i === 0);
}

module.exports = { Load, ROOM, TEXT_LENGTH };
