'use strict';

const { fork } = require('node:child_process');
const { freeze } = require('../dev/freeze.js');

/**
 * In a child: answers requests of the parent with what `actions` return.
 * @param {Record<string, (args: any) => any>} actions
 */
function serve(actions) {
  process.on('message', async ({ action, args }) => {
    try {
      process.send({ result: await actions[action](args) });
    } catch (error) {
      process.send({ error: error.stack });
    }
  });
  process.on('disconnect', () => process.exit());
}

/** In the parent: a child process that answers requests, one at a time. */
class Child {
  #process;
  #onReady = () => {};
  #settle;

  /**
   * @param {string} file a script that calls `serve`
   * @param {string[]} [execArgv] options for Node
   * @param {Record<string, string>} [env] what its environment has besides this one's
   */
  constructor(file, execArgv = [], env = {}) {
    this.#process = fork(file, {
      execArgv: ['--no-warnings', ...execArgv],
      serialization: 'advanced',
      env: { ...process.env, ...env },
    });
    this.#process.on('message', (message) => this.#take(message));
    this.#process.on('exit', (code, signal) => this.#settle?.reject(new Error(`${file} ended: ${signal ?? code}`)));
  }

  #take({ ready, result, error }) {
    if (ready) {
      this.#onReady();
    } else if (error) {
      this.#settle.reject(new Error(error));
    } else {
      this.#settle.resolve(result);
    }
  }

  /**
   * @param {string} action
   * @param {object} [args] may hold Buffers
   * @param {() => void} [onReady] called each time the child says that it is ready, before its answer
   * @returns {Promise<any>}
   */
  ask(action, args = {}, onReady = () => {}) {
    this.#onReady = onReady;
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      if (!this.#process.connected) return reject(new Error('the child has ended'));
      this.#process.send({ action, args });
    });
  }

  /** Freezes it. */
  pause() {
    freeze(this.#process.pid);
  }

  resume() {
    this.#process.kill('SIGCONT');
  }

  stop() {
    this.#settle = undefined;
    this.#process.kill('SIGKILL');
  }
}

module.exports = { Child, serve };
