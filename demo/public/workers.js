/** The panel of live figures, one card per worker. */

const SAMPLES = 40;
const STALE = 3000; // ms without news
const SPARK = { width: 120, height: 30, least: 10 }; // 10/s fill the height when there is less

/** What was counted before, by worker number: rates are differences. @type {Map<number, any>} */
const histories = new Map();

export function colour(worker) {
  return `var(--worker-${worker.index})`;
}

/** A small label in the worker's colour; the number says the same without colours. */
export function badge(worker) {
  const label = document.createElement('span');
  label.className = 'badge';
  label.style.setProperty('--worker', colour(worker));
  label.textContent = `worker ${worker.index}`;
  return label;
}

/**
 * @param {HTMLElement} panel
 * @param {any[]} reports one per worker
 * @param {{ who: string } | null} me
 */
export function showWorkers(panel, reports, me) {
  for (const report of reports) {
    let card = [...panel.children].find((known) => Number(known.dataset.index) === report.index);
    if (!card) {
      card = newCard(report);
      const after = [...panel.children].find((known) => Number(known.dataset.index) > report.index);
      panel.insertBefore(card, after ?? null);
    }
    fillCard(card, report, measure(report), me);
  }
}

function measure(report) {
  const known = histories.get(report.index);
  if (!known || known.report.pid !== report.pid) {
    const history = { report, rates: { published: 0, received: 0, delivered: 0 }, samples: known?.samples ?? [] };
    histories.set(report.index, history);
    return history;
  }
  const seconds = (report.at - known.report.at) / 1000;
  if (seconds <= 0) return known;
  for (const name of Object.keys(known.rates)) {
    known.rates[name] = (report.stats[name] - known.report.stats[name]) / seconds;
  }
  known.samples = [...known.samples, known.rates.received].slice(-SAMPLES);
  known.report = report;
  return known;
}

function newCard(report) {
  const card = document.getElementById('worker-template').content.firstElementChild.cloneNode(true);
  card.dataset.index = report.index;
  card.style.setProperty('--worker', colour(report));
  card.querySelector('.badge').textContent = `worker ${report.index}`;
  return card;
}

function fillCard(card, report, { rates, samples }, me) {
  const stale = report.age > STALE;
  card.classList.toggle('stale', stale);
  card.classList.toggle(
    'mine',
    report.people.some((person) => person.who === me?.who),
  );
  card.dataset.pid = report.pid;
  card.querySelector('.pid').textContent = `pid ${report.pid}`;
  fillLinks(card.querySelector('.links'), report.stats.connections);
  for (const [name, rate] of Object.entries(rates)) {
    const figure = card.querySelector(`[data-figure="${name}"]`);
    figure.querySelector('b').textContent = report.stats[name].toLocaleString('en');
    figure.querySelector('i').textContent = `${rate.toFixed(rate < 10 ? 1 : 0)}/s`;
  }
  drawSpark(card.querySelector('.spark'), samples);
  card.querySelector('.queued').textContent =
    `queued ${queued(report.stats)} · own filtered ${report.stats.filteredOwn}`;
  card.querySelector('.trouble').textContent = stale
    ? `no news for ${Math.round(report.age / 1000)} s`
    : trouble(report);
  card.querySelector('.cost').textContent = costOf(report.load);
  fillPeople(card.querySelector('.people'), report.people, me);
}

/** What the event loop of a worker spends, all its work included. */
function costOf({ engine, sockets, busy, microseconds }) {
  const writer = engine === 'native' ? 'native' : 'JavaScript';
  const each = microseconds === null ? '' : `, ${microseconds.toFixed(1)} µs a message to each of ${sockets} clients`;
  return `${writer} WebSockets: event loop ${(busy * 100).toFixed(1)} % busy${each}`;
}

function fillLinks(list, connections) {
  list.replaceChildren(
    ...Object.entries(connections).map(([name, { state, endpoint }]) => {
      const item = document.createElement('li');
      item.dataset.state = state;
      item.title = `${name}: ${state}, ${endpoint}`;
      item.textContent = name;
      const words = document.createElement('span');
      words.className = 'hidden';
      words.textContent = ` ${state}`;
      item.append(words);
      return item;
    }),
  );
}

function queued({ queues }) {
  return Object.values(queues).reduce((sum, { messages }) => sum + messages, 0);
}

/** What is worth a warning, or nothing. */
function trouble({ stats, generation }) {
  const counts = ['dropped', 'malformed', 'unconfirmed', 'reconnects']
    .filter((name) => stats[name] > 0)
    .map((name) => `${name} ${stats[name]}`);
  if (generation > 1) counts.unshift(`replaced ${generation - 1}×`);
  return counts.join(' · ');
}

function drawSpark(svg, samples) {
  const { width, height, least } = SPARK;
  const top = Math.max(least, ...samples);
  const x = (i) => width - ((samples.length - 1 - i) * width) / (SAMPLES - 1);
  const points = samples.map(
    (rate, i) => `${x(i).toFixed(1)},${(height - 2 - (rate / top) * (height - 4)).toFixed(1)}`,
  );
  if (points.length < 2) return;
  svg.setAttribute('aria-label', `received per second, now ${samples.at(-1).toFixed(1)}`);
  svg.querySelector('.line').setAttribute('d', `M${points.join('L')}`);
  svg.querySelector('.area').setAttribute('d', `M${x(0).toFixed(1)},${height}L${points.join('L')}L${width},${height}Z`);
}

function fillPeople(list, people, me) {
  list.replaceChildren(
    ...people.map(({ who, nick, room }) => {
      const item = document.createElement('li');
      const where = document.createElement('span');
      where.textContent = ` #${room}`;
      item.append(who === me?.who ? `${nick} (you)` : nick, where);
      return item;
    }),
  );
  if (people.length === 0) {
    const nobody = document.createElement('li');
    nobody.className = 'nobody';
    nobody.textContent = 'nobody here';
    list.append(nobody);
  }
}
