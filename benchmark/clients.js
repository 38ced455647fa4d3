'use strict';

// The clients of a cluster, in a process of their own: real WebSockets that speak 0.9's protocol.

const { once } = require('node:events');

const { WebSocket } = require('ws');

const { serve } = require('./ipc');
const { percentile } = require('./statistics');

const AT_ONCE = 50;
const SENT = /"sent":"(\d+)"/;

let ages = [];
let expected = Infinity;
let settle = () => {};

async function connect(port) {
  const handshake = await fetch(`http://127.0.0.1:${port}/socket.io/1/`);
  const [id] = (await handshake.text()).split(':');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/1/websocket/${id}`, { perMessageDeflate: false });
  socket.on('message', (data) => take(socket, data.toString('latin1')));
  await once(socket, 'message');
}

function take(socket, packet) {
  if (packet.startsWith('2::')) return socket.send('2::');
  const sent = SENT.exec(packet);
  if (sent === null) return undefined;
  ages.push(Number(process.hrtime.bigint() - BigInt(sent[1])) / 1e6);
  if (ages.length === expected) settle();
  return undefined;
}

const actions = {
  /** Connects `count` clients, spread over the nodes. */
  async connect({ ports, count }) {
    let next = 0;
    const worker = async () => {
      while (next < count) await connect(ports[next++ % ports.length]);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return {};
  },

  /** Waits for `count` packets; `patience`: ms after which those that came are all. */
  async collect({ count, patience }) {
    ages = [];
    expected = count;
    const done = new Promise((resolve) => { settle = resolve; });
    const timer = setTimeout(settle, patience);
    process.send({ ready: true });
    await done;
    clearTimeout(timer);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => percentile(ages, share));
    return { received: ages.length, p50, p95, p99 };
  },
};

serve(actions);
