'use strict';

/**
 * Once a second each worker tells the others over the store what it counts and
 * who is there, and passes what it knows of all of them to its own browsers.
 */

const CHANNEL = 'demo:figures'; // any application may publish over the store
const INTERVAL = 1000;

/**
 * @param {import('./worker.js').SocketIO} backend
 * @param {{ index: number, pid: number, generation: number }} worker this process
 * @param {Map<any, { who: string, nick: string, room: string }>} people the sockets here
 * @param {() => object} loadHere what is to be said of the load
 */
function startFigures({ store, stats }, worker, people, loadHere) {
  /** The last report of each worker, by its number. @type {Map<number, any>} */
  const reports = new Map();

  store.subscribe(CHANNEL, (report) => {
    // The last words of a worker may come after the first of the one that replaced it.
    const known = reports.get(report.index);
    if (!known || known.generation <= report.generation) reports.set(report.index, report);
  });

  function ownReport() {
    const here = [...people.values()].map(({ who, nick, room }) => ({ who, nick, room }));
    return { ...worker, at: Date.now(), stats: stats(), people: here, load: loadHere() };
  }

  return setInterval(() => {
    const report = ownReport();
    reports.set(worker.index, report);
    store.publish(CHANNEL, report);
    const all = [...reports.values()]
      .sort((a, b) => a.index - b.index)
      .map((report) => ({ ...report, age: Date.now() - report.at }));
    for (const socket of people.keys()) socket.volatile.emit('figures', all);
  }, INTERVAL);
}

module.exports = { startFigures };
