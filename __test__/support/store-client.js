'use strict';

/**
 * Clients of Socket.IO 0.9 that do one step of its protocol at a time, so that a test can send
 * each of them to the node it wants.
 */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const { parser } = require('socket.io');
const { WebSocket } = require('ws');
const { Inbox } = require('./client-inbox');

/** @typedef {{ port: number }} At a node, or whatever else has its port */

const HOST = '127.0.0.1';
const TRANSPORTS = ['websocket', 'xhr-polling'];

/**
 * @param {At} node
 * @param {string} path
 * @param {{ method?: string, body?: string, agent?: http.Agent }} [options]
 * @returns {Promise<{ status: number | undefined, body: string }>}
 */
async function request(node, path, { method = 'GET', body = '', agent } = {}) {
  const outgoing = http.request({
    host: HOST,
    port: node.port,
    path: `/socket.io/1/${path}`,
    method,
    agent,
    headers: method === 'POST' ? { 'Content-Type': 'text/plain; charset=UTF-8' } : {},
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, body: text };
}

/**
 * @param {At} node
 * @param {Record<string, string>} [query]
 * @returns {Promise<string>} the id of the session
 */
async function handshake(node, query = {}) {
  const { status, body } = await request(node, `?${new URLSearchParams(query)}`);
  assert.equal(status, 200, `handshake: ${status} ${body}`);
  return body.split(':')[0];
}

/**
 * Posts a packet in the name of a client, to whatever node.
 * @param {At} node
 * @param {string} id
 * @param {string} packet
 */
async function post(node, id, packet) {
  const answer = await request(node, `xhr-polling/${id}`, { method: 'POST', body: packet });
  assert.deepEqual(answer, { status: 200, body: '1' });
}

/** What both transports have in common; a subclass says how packets go out and come in. */
class Client {
  #asked = 0;

  /** @param {string} id the session's */
  constructor(id) {
    this.id = id;
    /** The packets of this client, without heartbeats and noops, as 0.9's own parser reads them. */
    this.inbox = new Inbox();
  }

  /**
   * @param {string} packet one encoded packet
   * @returns {Promise<void>}
   */
  send(packet) {
    throw new Error(`nothing sends ${packet}`);
  }

  /** @param {any} packet */
  receive(packet) {
    if (packet.type === 'heartbeat') this.send('2::');
    else if (packet.type !== 'noop') this.inbox.push(packet);
  }

  /**
   * Emits an event.
   * @param {string} name
   * @param {...any} args
   */
  emit(name, ...args) {
    return this.send(parser.encodePacket({ type: 'event', name, args }));
  }

  /**
   * Emits an event and resolves with the arguments of its acknowledgement.
   * @param {string} name
   * @param {...any} args
   * @returns {Promise<any[]>}
   */
  ask(name, ...args) {
    return this.askIn('', name, ...args);
  }

  /**
   * As `ask`, in a namespace.
   * @param {string} endpoint
   * @param {string} name
   * @param {...any} args
   * @returns {Promise<any[]>}
   */
  async askIn(endpoint, name, ...args) {
    const id = String(++this.#asked);
    await this.send(parser.encodePacket({ type: 'event', id, ack: 'data', endpoint, name, args }));
    return (await this.acknowledgement(id, endpoint)).args;
  }

  /**
   * @param {string} id the packet's that is acknowledged
   * @param {string} [endpoint]
   */
  acknowledgement(id, endpoint = '') {
    return this.inbox.take((packet) => packet.type === 'ack' && packet.ackId === id && packet.endpoint === endpoint);
  }

  /**
   * Enters a namespace, and resolves when the server has confirmed it.
   * @param {string} endpoint
   */
  async enter(endpoint) {
    await this.send(`1::${endpoint}`);
    await this.connected(endpoint);
  }

  /** @param {string} [endpoint] */
  connected(endpoint = '') {
    return this.inbox.take((packet) => packet.type === 'connect' && packet.endpoint === endpoint);
  }

  /** Resolves when the server has told this client to go. */
  disconnected() {
    return this.inbox.take((packet) => packet.type === 'disconnect');
  }

  /**
   * @param {string} name
   * @returns {Promise<any[]>} the arguments of the next event of this name
   */
  async event(name) {
    return (await this.inbox.take((packet) => packet.name === name)).args;
  }

  /**
   * @param {string} name
   * @returns {Promise<any[]>} what has arrived up to this event, itself left out: `[namespace:name, ...args]` each
   */
  async until(name) {
    const packets = await this.inbox.through((packet) => packet.name === name);
    return packets
      .slice(0, -1)
      .map(({ type, endpoint, name: event, args = [], data }) => [
        `${endpoint}:${event ?? type}`,
        ...(data === undefined ? args : [data]),
      ]);
  }
}

/** A client over one WebSocket. */
class WebSocketClient extends Client {
  #socket;

  /**
   * @param {At} node
   * @param {string} id
   */
  constructor(node, id) {
    super(id);
    this.#socket = new WebSocket(`ws://${HOST}:${node.port}/socket.io/1/websocket/${id}`, { perMessageDeflate: false });
    this.#socket.on('message', (data) => this.receive(parser.decodePacket(String(data))));
    this.#socket.on('error', (error) => this.inbox.end(error));
    this.#socket.on('close', () => this.inbox.end(new Error('the WebSocket has closed')));
  }

  /** @param {string} packet */
  send(packet) {
    return new Promise((resolve, reject) => {
      this.#socket.send(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Resolves when the WebSocket has closed. */
  async close() {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

/** A client that polls when it is told to. */
class PollingClient extends Client {
  #agent = new http.Agent({ keepAlive: true });
  #node;
  /** @type {Promise<void> | null} */
  #loop = null;
  /** @type {Promise<void> | null} */
  #hanging = null;
  /** The server has said good-bye, or does not know this client any more. */
  #gone = false;

  /**
   * @param {At} node where it sends to
   * @param {string} id
   */
  constructor(node, id) {
    super(id);
    this.#node = node;
  }

  get #path() {
    return `xhr-polling/${this.id}?t=${Date.now()}`;
  }

  /**
   * Polls once.
   * @param {At} node
   * @returns {Promise<string>} the payload as it came; its packets are in the inbox as well
   */
  async poll(node) {
    const { status, body } = await request(node, this.#path, { agent: this.#agent });
    assert.equal(status, 200, `poll: ${status} ${body}`);
    for (const packet of parser.decodePayload(body)) {
      if (packet.type === 'disconnect' || packet.type === 'error') this.#gone = packet.endpoint === '';
      this.receive(packet);
    }
    return body;
  }

  /**
   * Starts one poll, whose packets come to the inbox. A test that needs to know when it is open,
   * or over, waits for the node to say so.
   * @param {At} node
   */
  hang(node) {
    this.#hanging = this.poll(node).then(
      () => {},
      (error) => this.inbox.end(error),
    );
  }

  /** Resolves when the poll that hangs has been answered. */
  answered() {
    return this.#hanging;
  }

  /** Polls the node it sends to, again and again. */
  follow() {
    const loop = async () => {
      while (!this.#gone) await this.poll(this.#node);
    };
    this.#loop = loop()
      .catch(() => {})
      .finally(() => this.inbox.end(new Error('the polling has ended')));
  }

  /**
   * @param {string} packet
   * @param {At} [node] the node it sends to unless said
   */
  async send(packet, node = this.#node) {
    const { status, body } = await request(node, this.#path, { method: 'POST', body: packet, agent: this.#agent });
    assert.deepEqual([status, body], [200, '1']);
  }

  /** Says good-bye, and resolves when nothing of it is on its way. */
  async close() {
    if (!this.#gone) await this.send('0::').catch(() => {}); // the node may be gone
    await this.#loop;
    this.#agent.destroy();
  }
}

/**
 * Connects a client, and resolves when the server has confirmed it.
 * @param {At} node
 * @param {{ transport?: string, id?: string, query?: Record<string, string> }} [options] `id`: of a
 *   handshake that has been made, perhaps with another node
 * @returns {Promise<WebSocketClient | PollingClient>}
 */
async function connect(node, { transport = 'websocket', id, query } = {}) {
  const session = id ?? (await handshake(node, query));
  const client = transport === 'websocket' ? new WebSocketClient(node, session) : new PollingClient(node, session);
  if (client instanceof PollingClient) client.follow();
  await client.connected();
  return client;
}

module.exports = { TRANSPORTS, connect, handshake, post, request, PollingClient, WebSocketClient };
