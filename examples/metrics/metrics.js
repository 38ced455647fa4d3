/** The figures of `stats()`, and how often there was a `gap` or an `error`, as metrics of prom-client. */

import { Counter, Gauge } from 'prom-client';

const PREFIX = 'socketio_redis_';
const STATES = ['connecting', 'connected', 'degraded', 'stalled', 'reconnecting', 'closed'];

/** What only grows: the name of the metric, and what it is. Where there are more labels: these too. */
const COUNTERS = {
  published: ['published_total', 'Publishes that Redis confirmed'],
  received: ['received_total', 'Messages that arrived'],
  delivered: ['delivered_total', 'Messages that were handed to Socket.IO'],
  deliveredNatively: ['delivered_natively_total', 'Broadcasts that were written to native WebSockets'],
  nativeWrites: ['native_writes_total', 'To how many native WebSockets they were written'],
  filteredOwn: ['filtered_total', 'Messages that this server has no use for', { reason: 'own' }],
  filteredRooms: ['filtered_total', '', { reason: 'rooms' }],
  filteredNamespaces: ['filtered_total', '', { reason: 'namespaces' }],
  filteredResponses: ['filtered_total', '', { reason: 'responses' }],
  overflowed: ['overflowed_total', 'Messages that a full mailbox dropped'],
  malformed: ['malformed_total', 'Messages that were not understood'],
  dropped: ['dropped_total', 'Publishes and commands that never left'],
  unconfirmed: ['unconfirmed_total', 'Publishes that may or may not have arrived'],
  reconnects: ['reconnects_total', 'Connections that came back'],
  internalErrors: ['internal_errors_total', 'Bugs that were contained'],
};

/** What goes up and down: the metric, what it is, and its values, each with labels. */
const GAUGES = [
  ['peers', 'Other processes of this package', ({ peers }) => [[{}, peers]]],
  [
    'heartbeat',
    '1 for how the heartbeat is',
    ({ heartbeat }) => ['on', 'off', 'refused'].map((state) => [{ state }, Number(state === heartbeat)]),
  ],
  ['queue_messages', 'Messages that wait', ({ queues }) => inQueues(queues, 'messages')],
  ['queue_bytes', 'Bytes of what waits', ({ queues }) => inQueues(queues, 'bytes')],
  [
    'connection_state',
    '1 for the state of each connection',
    ({ connections }) =>
      Object.entries(connections).flatMap(([connection, { state: now }]) =>
        STATES.map((state) => [{ connection, state }, Number(state === now)]),
      ),
  ],
  ['refused_channels', 'Channels that Redis refuses', ({ connections }) => [[{}, connections.sub.refused.length]]],
  // Of a store alone, after store.engine(io).
  [
    'store_websockets',
    'Native WebSockets of Socket.IO 0.9',
    ({ webSockets }) => webSockets && [[{}, webSockets.native]],
  ],
  [
    'store_websocket_fallbacks',
    'WebSockets that were left to 0.9',
    ({ webSockets }) =>
      webSockets && Object.entries(webSockets.fallbacks).map(([reason, count]) => [{ reason }, count]),
  ],
];

const inQueues = (queues, unit) => Object.entries(queues).map(([queue, depth]) => [{ queue }, depth[unit]]);

/**
 * Registers the metrics. Each has the label `backplane`, which is the key here. Call it once for a registry.
 *
 * @param registry of prom-client
 * @param backplanes adapters, stores or emitters, such as `{ adapter: io.of('/').adapter }`. Namespaces of one
 *   `createAdapter` have the same figures: pass one of them
 */
export function watch(registry, backplanes) {
  const all = Object.entries(backplanes);
  const read = () => all.map(([name, backplane]) => [name, backplane.stats()]);

  const counters = {};
  for (const [name, help, labels = {}] of Object.values(COUNTERS)) {
    counters[name] ??= { help, labels: ['backplane', ...Object.keys(labels)] };
  }
  for (const [name, { help, labels }] of Object.entries(counters)) {
    const fields = Object.entries(COUNTERS).filter(([, [each]]) => each === name);
    new Counter({
      name: PREFIX + name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset(); // it is counted elsewhere
        for (const [backplane, stats] of read()) {
          for (const [field, [, , more]] of fields) this.inc({ backplane, ...more }, stats[field]);
        }
      },
    });
  }

  for (const [name, help, values] of GAUGES) {
    new Gauge({
      name: PREFIX + name,
      help,
      labelNames: ['backplane', 'connection', 'queue', 'reason', 'state'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [backplane, stats] of read()) {
          for (const [labels, value] of values(stats) ?? []) this.set({ backplane, ...labels }, value);
        }
      },
    });
  }

  countEvents(registry, all);
}

function countEvents(registry, all) {
  const registers = [registry];
  const gaps = new Counter({
    name: `${PREFIX}gaps_total`,
    help: 'How often messages may have been missed',
    labelNames: ['backplane', 'connection'],
    registers,
  });
  const errors = new Counter({
    name: `${PREFIX}errors_total`,
    help: 'Events `error`',
    labelNames: ['backplane', 'code'],
    registers,
  });
  for (const [backplane, emitter] of all) {
    for (const connection of ['pub', 'sub']) gaps.inc({ backplane, connection }, 0); // so that a rate sees the first one
    emitter.on('gap', ({ connection }) => gaps.inc({ backplane, connection }));
    emitter.on('error', ({ code }) => errors.inc({ backplane, code }));
  }
}

/**
 * Registers the metrics of the WebSockets.
 *
 * @param registry of prom-client
 * @param io a server with `wsEngine: WebSocketServer`; `io.engine.ws` is another one once it listens
 */
export function watchWebSockets(registry, io) {
  const counters = {
    sent: 'Frames that were given to connections',
    sentBytes: 'Bytes that the kernel has taken',
    writes: 'How often the kernel was asked to',
    received: 'Messages of clients',
    receivedBytes: 'Bytes of clients',
    slow: 'Connections that were closed since too much waited for them',
    violations: 'Connections that were closed since the client broke a rule',
    volatileDropped: 'Volatile packets that were left out',
    internalErrors: 'Bugs that were contained',
  };
  const gauges = {
    native: 'Native connections that are open',
    ws: 'Connections of ws that are open',
    open: 'Native connections that are open, of all servers of the process',
    waiting: 'Messages of clients that wait for the event loop',
    waitingBytes: 'Their bytes',
  };
  const registers = [registry];
  const prefix = 'socketio_websocket_';
  const inWords = (field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  for (const [field, help] of Object.entries(counters)) {
    const collect = function () {
      this.reset();
      this.inc(io.engine.ws.stats()[field]);
    };
    new Counter({ name: `${prefix}${inWords(field)}_total`, help, registers, collect });
  }
  for (const [field, help] of Object.entries(gauges)) {
    const collect = function () {
      this.set(io.engine.ws.stats()[field]);
    };
    new Gauge({ name: prefix + inWords(field), help, registers, collect });
  }
  new Counter({
    name: `${prefix}fallbacks_total`,
    help: 'Connections that went to ws, by reason',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(io.engine.ws.stats().fallbacks)) this.inc({ reason }, count);
    },
  });
}
