'use strict';

/**
 * What the server knows about a person, kept as `socket.set/get` of 0.9 keeps it: one
 * Redis hash per client id. So it outlives the worker, and any other worker can
 * read it by the id that the client had there.
 */

const FIELDS = ['who', 'nick', 'room', 'sent', 'worker', 'pid'];
const CLIENT_ID = /^[\w-]{16,40}$/;

/**
 * @typedef {object} StoreClient a socket of 0.9, or what `store.client(id)` returns
 * @property {(key: string, callback: (error: Error | null, value: string | null) => void) => void} get
 * @property {(key: string, value: unknown, callback: (error: Error | null) => void) => void} set
 */

/**
 * @param {StoreClient} client
 * @param {string} key
 * @returns {Promise<string | null>}
 */
function get(client, key) {
  return new Promise((resolve, reject) => {
    client.get(key, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

/**
 * @param {StoreClient} client
 * @param {Record<string, string | number>} values
 * @returns {Promise<unknown>}
 */
function save(client, values) {
  return Promise.all(
    Object.entries(values).map(
      ([key, value]) =>
        new Promise((resolve, reject) => {
          client.set(key, value, (error) => (error ? reject(error) : resolve(undefined)));
        }),
    ),
  );
}

/**
 * @param {StoreClient} client
 * @returns {Promise<Record<string, string> | null>}
 */
async function load(client) {
  const values = await Promise.all(FIELDS.map((field) => get(client, field)));
  if (values[0] === null) return null;
  return Object.fromEntries(FIELDS.map((field, i) => [field, values[i] ?? '']));
}

/**
 * Reads the session of a client that is gone, and makes every worker forget that
 * client: one that was killed could not say goodbye for it. Its hash stays for some
 * seconds more, should the answer to the page get lost.
 * @param {import('./worker.js').SocketIO} backend
 * @param {unknown} previous the id that the page had before
 * @param {any} socket the one that the page has now; one of 4.x that was recovered has the same id
 * @returns {Promise<Record<string, string> | null>}
 */
async function takeOver({ store, forget }, previous, socket) {
  if (typeof previous !== 'string' || !CLIENT_ID.test(previous)) return null;
  const session = await load(store.client(previous));
  if (session && previous !== socket.id) forget(previous);
  // Of a client that was recovered it is written anew, without an end.
  else store.destroyClient(previous);
  return session;
}

module.exports = { save, takeOver };
