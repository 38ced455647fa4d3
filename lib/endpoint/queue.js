'use strict';

/** @typedef {Record<string, any>} Item a waiting command of a client */

/**
 * Finds the newest waiting command of a name in a client's queues. Looks and does not touch.
 *
 * An item of `redis` 0.7 to 3 is `{ command: 'select', args: [3] }`; one of `ioredis` is
 * `{ command: { name: 'select', args: ['3'] } }`.
 *
 * @param {unknown[]} queues those with the newer commands first: what is offline was not sent yet
 * @param {string} name in lower case
 * @returns {any[]|null} the command's arguments
 */
function newestCommand(queues, name) {
  for (const queue of queues) {
    const item = items(queue)
      .reverse()
      .find((candidate) => commandName(candidate) === name);
    if (item !== undefined) return [typeof item.command === 'string' ? item.args : item.command.args].flat(2);
  }
  return null;
}

/**
 * Lists a queue: `denque` (redis 3, ioredis) and `double-ended-queue` (redis 2) have
 * `toArray()`, the queue of redis 0.7 to 1 has `forEach()`.
 *
 * @param {any} queue
 * @returns {Item[]} a list of its own, the oldest first
 */
function items(queue) {
  if (typeof queue?.toArray === 'function') return [...queue.toArray()];
  /** @type {Item[]} */
  const list = [];
  if (typeof queue?.forEach === 'function')
    queue.forEach((/** @type {Item} */ item) => {
      list.push(item);
    });
  return list;
}

/**
 * @param {Item|undefined} item
 * @returns {string}
 */
function commandName(item) {
  const command = item?.command;
  return String((typeof command === 'string' ? command : command?.name) ?? '').toLowerCase();
}

module.exports = { newestCommand };
