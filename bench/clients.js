'use strict';

// The clients of a cluster, in a process of their own: real WebSockets that speak the least of
// Socket.IO's protocol.

const { WebSocket } = require('ws');

const { Arrivals } = require('./arrivals');
const { serve } = require('./ipc');
const { percentile } = require('./statistics');

const AT_ONCE = 50;
const SENT = /"sent":"(\d+)"/;
/** ms to wait for what comes once too often. */
const AFTERWARDS = 30;

/**
 * - `address(port)`: where to connect a WebSocket
 * - `answer(packet)`: what to send back
 * - `connected(packet)`: whether it says that the client is connected
 */
const PROTOCOLS = {
  store: {
    async address(port) {
      const handshake = await fetch(`http://127.0.0.1:${port}/socket.io/1/`);
      const [id] = (await handshake.text()).split(':');
      return `ws://127.0.0.1:${port}/socket.io/1/websocket/${id}`;
    },
    answer: (packet) => (packet.startsWith('2::') ? '2::' : null),
    connected: (packet) => packet.startsWith('1::'),
  },
  adapter: {
    address: async (port) => `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`,
    answer(packet) {
      // Engine.IO's open and ping.
      if (packet.startsWith('0')) return '40';
      return packet === '2' ? '3' : null;
    },
    connected: (packet) => packet.startsWith('40'),
  },
};

const arrivals = new Arrivals();
let ages = [];

async function connect(port, protocol) {
  const socket = new WebSocket(await protocol.address(port), { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const packet = data.toString('latin1');
      const answer = protocol.answer(packet);
      if (answer) socket.send(answer);
      else if (protocol.connected(packet)) resolve(undefined);
      else take(packet);
    });
  });
}

function take(packet) {
  const sent = SENT.exec(packet);
  if (sent === null) return;
  ages.push(Number(process.hrtime.bigint() - BigInt(sent[1])) / 1e6);
  arrivals.arrived();
}

const actions = {
  /** Connects `count` clients, spread over the nodes. */
  async connect({ ports, count, protocol = 'store' }) {
    let next = 0;
    const worker = async () => {
      while (next < count) await connect(ports[next++ % ports.length], PROTOCOLS[protocol]);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return {};
  },

  /** Waits for `count` packets; `patience`: ms after which those that came are all. */
  async collect({ count, patience }) {
    ages = [];
    const all = arrivals.expect(count, patience);
    process.send({ ready: true });
    await all;
    await new Promise((resolve) => setTimeout(resolve, AFTERWARDS));
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(ages, share));
    return { received: arrivals.received, p50, p95, p99 };
  },
};

serve(actions);
