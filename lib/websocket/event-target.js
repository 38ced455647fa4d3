'use strict';

/** The interface of browsers' WebSockets, which those of ws have too: `addEventListener`, `onmessage` and so on. */

/** What makes an event of an emitter's arguments. @type {Record<string, (...args: any[]) => object>} */
const EVENTS = {
  open: () => ({}),
  message: (data, isBinary) => ({ data: isBinary ? data : String(data) }),
  close: (code, reason) => ({ code, reason: String(reason), wasClean: code !== 1006 }),
  error: (error) => ({ error, message: error.message }),
};

/** The listener that a function on the emitter stands for. */
const HANDLER = Symbol('handler');
/** Whether it is the value of an attribute such as `onmessage`. */
const ATTRIBUTE = Symbol('attribute');

/** @typedef {import('node:events').EventEmitter} EventEmitter */

/** @param {EventEmitter} emitter @param {string} type @param {any} handler @param {boolean} isAttribute */
function find(emitter, type, handler, isAttribute) {
  return /** @type {any[]} */ (emitter.listeners(type)).find(
    (each) =>
      each[HANDLER] !== undefined && each[ATTRIBUTE] === isAttribute && (isAttribute || each[HANDLER] === handler),
  );
}

/** @param {EventEmitter} emitter @param {string} type @param {any} handler @param {boolean} once @param {boolean} isAttribute */
function add(emitter, type, handler, once, isAttribute) {
  const listener = (/** @type {any[]} */ ...args) => {
    const event = { type, target: emitter, ...EVENTS[type](...args) };
    if (typeof handler === 'function') handler.call(emitter, event);
    else handler.handleEvent(event);
  };
  Object.assign(listener, { [HANDLER]: handler, [ATTRIBUTE]: isAttribute });
  if (once) emitter.once(type, listener);
  else emitter.on(type, listener);
}

/**
 * Adds a listener that gets one event object.
 * @this {EventEmitter}
 * @param {string} type `open`, `message`, `close` or `error`; another one does nothing
 * @param {Function | { handleEvent: Function }} handler added once however often
 * @param {{ once?: boolean }} [options]
 */
function addEventListener(type, handler, options = {}) {
  if (!Object.hasOwn(EVENTS, type) || find(this, type, handler, false)) return;
  add(this, type, handler, Boolean(options.once), false);
}

/**
 * Removes a listener.
 * @this {EventEmitter}
 * @param {string} type
 * @param {Function | { handleEvent: Function }} handler
 */
function removeEventListener(type, handler) {
  const listener = find(this, type, handler, false);
  if (listener) this.removeListener(type, listener);
}

/** Adds the interface to a class. @param {{ prototype: EventEmitter }} emitters */
function makeEventTarget({ prototype }) {
  Object.assign(prototype, { addEventListener, removeEventListener });
  for (const type of Object.keys(EVENTS)) {
    Object.defineProperty(prototype, `on${type}`, {
      enumerable: true,
      get() {
        return find(this, type, null, true)?.[HANDLER] ?? null;
      },
      set(handler) {
        const old = find(this, type, null, true);
        if (old) this.removeListener(type, old);
        if (typeof handler === 'function') add(this, type, handler, false, true);
      },
    });
  }
}

module.exports = { makeEventTarget };
