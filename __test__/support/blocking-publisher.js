'use strict';

/**
 * Publishes without giving the event loop a turn: the connection is on a thread of its own, for which this
 * one waits. What is published has then left Redis for all subscribers.
 */

const net = require('node:net');
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const { encodeCommand, parseReply } = require('../../dev/resp');
const { PATIENCE } = require('./limits');

const DONE = 1;

class BlockingPublisher {
  #state = new Int32Array(new SharedArrayBuffer(4));
  #worker;

  /** @param {number} port */
  constructor(port) {
    this.#worker = new Worker(__filename, { workerData: { port, state: this.#state } });
  }

  /**
   * Publishes messages, in order; returns when Redis has sent them to all that are subscribed.
   * @param {...[channel: string, payload: Buffer | string]} messages
   */
  publish(...messages) {
    Atomics.store(this.#state, 0, 0);
    this.#worker.postMessage(messages.map(([channel, payload]) => encodeCommand('PUBLISH', channel, payload)));
    if (Atomics.wait(this.#state, 0, 0, PATIENCE) === 'timed-out') throw new Error('in vain waited for Redis');
  }

  close() {
    return this.#worker.terminate();
  }
}

/** On its thread. */
function serve({ port, state }) {
  const socket = net.connect(port, '127.0.0.1');
  let owed = 0;
  let received = Buffer.alloc(0);
  const send = (/** @type {Buffer[]} */ commands) => {
    owed += commands.length;
    socket.write(Buffer.concat(commands));
  };
  let isLast = false;
  parentPort?.on('message', (commands) => send(commands.map((command) => Buffer.from(command))));
  socket.on('data', (bytes) => {
    received = Buffer.concat([received, bytes]);
    for (let parsed = parseReply(received); parsed; parsed = parseReply(received)) {
      received = received.subarray(parsed[1]);
      owed--;
    }
    if (owed > 0) return;
    isLast = !isLast;
    // Redis may answer before it has written to subscribers, but not this, which comes in its next turn.
    if (isLast) return send([encodeCommand('PING')]);
    Atomics.store(state, 0, DONE);
    Atomics.notify(state, 0);
  });
}

if (!isMainThread) serve(workerData);

module.exports = { BlockingPublisher };
