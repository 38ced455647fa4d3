'use strict';

// An application's node in a process of its own: Socket.IO 4 with one of the adapters, and the store of 0.9 beside
// ours. It sends at an even rate, writes down what it sends and receives, and does what the schedule asks.

const { Server, Socket } = require('socket.io-4');
const { setTimeout: delay } = require('node:timers/promises');

const { serve } = require('../ipc');
const { ahead, now } = require('./clock');
const { Journal } = require('./journal');
const { SIDES } = require('./sides');

const TICK = 20;
/** Messages a second of each stream, and writes of session data. */
const RATES = { broadcast: 100, join: 25, store: 50, session: 20 };
/** The one room that has a socket on every node. */
const ROOM = 'all';
const JOIN = 'joined:';

let name;
let io;
let store;
let journal = new Journal();
/** By how much this process' clock is ahead of the shared one: as it is, and as it was before it was set. */
let offsets = [ahead()];
let loads;
const sessions = { written: 0, refused: 0, unanswered: 0 };
const uncaught = [];

/** What the official adapter throws would end the application: it is written down, and the figures go on. */
process.on('uncaughtException', (error) => uncaught.push(error.message));

/** A real socket but for its client, which takes the messages apart. */
function addSocket() {
  const nsp = io.of('/');
  const socket = Object.create(Socket.prototype);
  const client = {
    writeToEngine([packet]) {
      const [event, sender, number, sent] = JSON.parse(packet.slice(packet.indexOf('[')));
      if (event === 'message' && sender !== name) journal.arrived('broadcast', sender, number, sent);
    },
  };
  Object.assign(socket, { id: name, nsp, server: io, adapter: nsp.adapter, data: {}, acks: new Map(), client });
  nsp.sockets.set(name, socket);
  nsp.adapter.addAll(name, new Set([name, ROOM]));
}

/** Joins come from other nodes, and are taken back at once. */
function watchJoins() {
  const { adapter } = io.of('/');
  adapter.on('join-room', (room, id) => {
    if (id !== name || !String(room).startsWith(JOIN)) return;
    const [, sender, number, sent] = room.split(':');
    if (sender !== name) journal.arrived('join', sender, Number(number), Number(sent));
    setImmediate(() => adapter.del(id, room));
  });
}

/** @param {string} backplane @param {any} source of its events @param {boolean} [isOfStreams] */
function watch(backplane, source, isOfStreams = false) {
  source.on('gap', (gap) => {
    // What a connection's loss means for channels is nothing for streams, which say what they have dropped.
    const isOfChannels = isOfStreams && gap.connection === 'sub' && gap.stream === undefined;
    // In a cluster, entries go where commands go: to the owner of a slot.
    const connection = isOfStreams && gap.connection === 'cmd' ? 'pub' : gap.connection;
    journal.told(isOfChannels ? 'channels' : backplane, { ...gap, connection }, offsets);
  });
  source.on('error', (error) => errors.set(error.code, (errors.get(error.code) ?? 0) + 1));
}
/** How often each was told. @type {Map<string, number>} */
const errors = new Map();

/** What is sent, by stream. @type {Record<string, () => void>} */
const SEND = {
  broadcast: () => io.to(ROOM).emit('message', name, ...journal.next('broadcast')),
  join: () => io.in(ROOM).socketsJoin(JOIN + [name, ...journal.next('join')].join(':')),
  store: () => store?.publish('faults', name, ...journal.next('store')),
  session() {
    if (!store) return;
    sessions.unanswered += 1;
    store.client(name).set('n', sessions.written, (error) => {
      sessions.unanswered -= 1;
      sessions[error ? 'refused' : 'written'] += 1;
    });
  },
};

/** Sends each stream at its rate; what a blocked event loop has missed is not made up for. */
function startLoad() {
  const owed = Object.fromEntries(Object.keys(RATES).map((stream) => [stream, 0]));
  loads = setInterval(() => {
    noticeClock();
    for (const [stream, rate] of Object.entries(RATES)) {
      for (owed[stream] += (rate * TICK) / 1000; owed[stream] >= 1; owed[stream] -= 1) SEND[stream]();
    }
  }, TICK);
}

function noticeClock() {
  const offset = ahead();
  if (Math.abs(offset - offsets[offsets.length - 1]) > 100) offsets = [...offsets.slice(-1), offset];
}

const actions = {
  /** @param {{ name: string, side: string, way: import('./sides').Way, nodes: number }} args */
  async start({ side, way, nodes, ...args }) {
    name = args.name;
    const opened = await SIDES[side](way);
    ({ store } = opened);
    io = new Server({ adapter: opened.adapter, serveClient: false });
    const { adapter } = io.of('/');
    watch('adapter', adapter, way.streams);
    addSocket();
    watchJoins();
    if (store) {
      watch('store', store);
      const take = (sender, number, sent) => sender !== name && journal.arrived('store', sender, number, sent);
      await new Promise((resolve) => store.subscribe('faults', take, resolve));
    }
    // Broadcasts are subscribed to before requests, and only the latter are counted.
    while ((await adapter.serverCount().catch(() => 0)) < nodes) await delay(TICK);
  },

  /** Begins a journal, and sends. */
  begin() {
    journal = new Journal();
    offsets = offsets.slice(-1);
    Object.assign(sessions, { written: 0, refused: 0 });
    errors.clear();
    uncaught.length = 0;
    startLoad();
  },

  /** Sends no more. */
  end: () => clearInterval(loads),

  /** How far it is: the number of the last message sent, and of the last ones received with when they were sent. */
  progress: () => ({
    sent: Object.fromEntries(Object.entries(journal.sent).map(([stream, times]) => [stream, times.length - 1])),
    received: Object.fromEntries(
      Object.entries(journal.received).map(([stream, from]) => [
        stream,
        Object.fromEntries(
          Object.entries(from).map(([sender, log]) => [sender, { number: log.numbers.at(-1), sent: log.sent.at(-1) }]),
        ),
      ]),
    ),
    unanswered: sessions.unanswered,
  }),

  journal: () => ({
    ...journal,
    sessions,
    errors: Object.fromEntries(errors),
    uncaught: [...new Set(uncaught)].slice(0, 3),
    crashes: uncaught.length,
    malformed: io.of('/').adapter.stats?.().malformed,
  }),

  /** Holds the event loop. */
  block({ ms }) {
    const until = now() + ms;
    while (now() < until);
  },

  /** Broadcasts what nobody is there for. */
  async flood({ count, bytes }) {
    const text = 'x'.repeat(bytes);
    for (let sent = 0; sent < count; sent++) {
      io.to('nobody').emit('flood', text);
      if (sent % 50 === 0) await new Promise(setImmediate);
    }
  },

  async memory() {
    globalThis.gc?.();
    await delay(TICK);
    globalThis.gc?.();
    return process.memoryUsage.rss();
  },
};

serve(actions);
