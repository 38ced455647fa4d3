'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, it } = require('node:test');
const { parser } = require('@prometheus-io/lezer-promql');
const parseExposition = require('parse-prometheus-text-format');
const { Registry } = require('prom-client');
const { Server } = require('socket.io-4');
const { RedisStore, WebSocketServer, createAdapter } = require('../..');
const { LIMIT } = require('../support/limits.js');
const { hearing, join } = require('./adapter.js');
const { copyOf, redisFor, start } = require('./run.js');

const DASHBOARD = path.join(__dirname, '../../examples/metrics/grafana-dashboard.json');

/** @param {string} text @returns {Record<string, { type: string, metrics: any[] }>} each metric, by its name */
const parse = (text) => Object.fromEntries(parseExposition(text).map((each) => [each.name, each]));

/** @param {number} port @returns {Promise<ReturnType<typeof parse>>} */
async function scrape(port) {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.equal(response.status, 200);
  assert.match(String(response.headers.get('content-type')), /^text\/plain; version=0\.0\.4/);
  return parse(await response.text());
}

/** @param {any} figures @returns {any} a copy in which each number is another one; they are in `given` */
function numbered(figures, given) {
  if (typeof figures === 'number') return given.push(1000 + given.length) && given.at(-1);
  if (typeof figures !== 'object' || figures === null || Array.isArray(figures)) return figures;
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, numbered(value, given)]));
}

/** What is in an exposition: each value of a metric of this package, as text. */
function values(exposition) {
  const ours = Object.entries(exposition).filter(([name]) => name.startsWith('socketio_'));
  return new Set(ours.flatMap(([, { metrics }]) => metrics.map(({ value }) => Number(value))));
}

/** @returns {Promise<{ watch: Function, watchWebSockets: Function }>} what the example's metrics.js exports */
const example = () => import(pathToFileURL(path.join(copyOf('metrics'), 'metrics.js')).href);

describe('examples/metrics', LIMIT, () => {
  it('serves the figures of a server that others talk to', async (t) => {
    const redis = await redisFor(t);
    const [one, other] = [await start(t, 'metrics', { redis }), await start(t, 'metrics', { redis })];
    await hearing(redis, 2);
    const [{ client }, { client: another }] = [await join(t, one), await join(t, other)];
    client.socket.emit('say', 'hello');
    await another.event('said');
    const received = await scrape(other.port);

    const value = (/** @type {any} */ exposition, /** @type {string} */ name, labels = {}) => {
      const matches = (/** @type {any} */ each) =>
        Object.entries(labels).every(([key, label]) => each.labels?.[key] === label);
      return Number(exposition[name].metrics.find(matches).value);
    };
    let sent = await scrape(one.port);
    // Redis may confirm it after the client has got it.
    while (value(sent, 'socketio_redis_published_total') === 0) sent = await scrape(one.port);
    assert.equal(value(received, 'socketio_redis_delivered_natively_total'), 1);
    assert.equal(value(received, 'socketio_redis_native_writes_total'), 1);
    assert.equal(value(received, 'socketio_websocket_native'), 1);
    for (const connection of ['pub', 'sub', 'cmd']) {
      const at = (/** @type {string} */ state) => ({ backplane: 'adapter', connection, state });
      assert.equal(value(sent, 'socketio_redis_connection_state', at('connected')), 1, connection);
      assert.equal(value(sent, 'socketio_redis_connection_state', at('reconnecting')), 0, connection);
    }
    assert.equal(sent.socketio_redis_published_total.type, 'COUNTER');
    assert.equal(sent.socketio_redis_queue_bytes.type, 'GAUGE');
  });

  it('leaves out no figure of an adapter, a store and a WebSocketServer', async (t) => {
    const redis = await redisFor(t);
    const { watch, watchWebSockets } = await example();
    const registry = new Registry();
    const io = new Server(http.createServer(), { adapter: createAdapter(redis.url), wsEngine: WebSocketServer });
    t.after(() => io.close());
    const store = new RedisStore({ redisPub: redis.url, redisSub: redis.url, redisClient: redis.url });
    t.after(() => store.destroy());
    const { adapter } = io.of('/');
    const given = [];
    const fake = (emitter, more = {}) => {
      const figures = numbered({ ...emitter.stats(), ...more }, given);
      return { on: emitter.on.bind(emitter), stats: () => figures };
    };
    const webSockets = { native: 0, fallbacks: { tls: 0 } };
    // The id of a node is a number that counts nothing.
    watch(registry, { adapter: fake(adapter), store: fake(store, { webSockets, nodeId: 'id' }) });
    watchWebSockets(registry, { engine: { ws: fake(io.engine.ws, { fallbacks: { tls: 0 } }) } });
    const exposed = values(parse(await registry.metrics()));
    assert.ok(given.length > 60, String(given.length));
    assert.deepEqual(
      given.filter((each) => !exposed.has(each)),
      [],
    );
  });

  it('counts gaps and errors', async (t) => {
    const { watch } = await example();
    const registry = new Registry();
    const redis = await redisFor(t);
    const store = new RedisStore({ redisPub: redis.url, redisSub: redis.url, redisClient: redis.url });
    t.after(() => store.destroy());
    watch(registry, { store });
    store.emit('gap', /** @type {any} */ ({ connection: 'sub' }));
    store.emit('error', /** @type {any} */ ({ code: 'ERR_STALLED' }));
    const metrics = parse(await registry.metrics());
    const labelled = (/** @type {string} */ name) => metrics[name].metrics.filter(({ value }) => value === '1');
    assert.deepEqual(
      labelled('socketio_redis_gaps_total').map(({ labels }) => labels),
      [{ backplane: 'store', connection: 'sub' }],
    );
    assert.deepEqual(
      labelled('socketio_redis_errors_total').map(({ labels }) => labels),
      [{ backplane: 'store', code: 'ERR_STALLED' }],
    );
  });
});

describe('examples/metrics/grafana-dashboard.json', LIMIT, () => {
  const dashboard = JSON.parse(fs.readFileSync(DASHBOARD, 'utf8'));
  const queries = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));

  /** @param {string} expr @returns {string[]} the metrics that a query names */
  function metricsOf(expr) {
    // What Grafana puts in.
    const promql = expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*');
    const names = [];
    parser.parse(promql).iterate({
      enter({ type, from, to }) {
        assert.ok(!type.isError, `${promql} is no PromQL at ${from}`);
        if (type.name === 'Identifier') names.push(promql.slice(from, to));
      },
    });
    return names;
  }

  it('is a dashboard that Grafana imports, with one data source to choose', () => {
    assert.deepEqual([dashboard.id, dashboard.__inputs.length], [null, 1]);
    const source = { type: 'prometheus', uid: `\${${dashboard.__inputs[0].name}}` };
    const targets = dashboard.panels.flatMap((panel) => panel.targets);
    const users = [...dashboard.panels, ...targets, ...dashboard.templating.list];
    for (const { datasource } of users) assert.deepEqual(datasource, source);
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const types = new Set(dashboard.panels.map(({ type }) => type));
    const required = dashboard.__requires.filter(({ type }) => type === 'panel').map(({ id }) => id);
    assert.deepEqual([...types].sort(), required.sort());
    const cells = new Set();
    for (const { gridPos, title } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = 0; x < gridPos.w; x++) {
        for (let y = 0; y < gridPos.h; y++) {
          const cell = `${gridPos.x + x} ${gridPos.y + y}`;
          assert.ok(!cells.has(cell), `${title} lies on another one`);
          cells.add(cell);
        }
      }
    }
  });

  it('asks for metrics that a server has', async (t) => {
    const redis = await redisFor(t);
    const exposition = await scrape((await start(t, 'metrics', { redis })).port);
    const variables = dashboard.templating.list.map(({ name, query }) => ({
      title: name,
      expr: /^label_values\((\w+), instance\)$/.exec(query.query)?.[1] ?? '',
    }));
    for (const { title, expr } of [...queries, ...variables]) {
      const names = metricsOf(expr);
      assert.ok(names.length > 0, title);
      for (const name of names) assert.ok(exposition[name], `${title}: no ${name}`);
    }
  });

  it('would be seen to ask for what is not there, or in another language', () => {
    assert.deepEqual(metricsOf('sum by (a) (rate(b{c="d"}[$__rate_interval])) or vector(0) / e'), ['b', 'e']);
    assert.throws(() => metricsOf('sum(rate('), /is no PromQL/);
  });
});
