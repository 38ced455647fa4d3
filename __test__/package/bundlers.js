'use strict';

/** What each bundler makes of an app, as its users call it. */

const fs = require('node:fs');
const path = require('node:path');

const OURS = 'socket.io-redis-native';
/** What rejects is what the user reads. @typedef {(entry: string, out: string) => Promise<void>} Bundle builds `out`/main.js */

/** @param {object} config @returns {Bundle} */
const withWebpack = (config) => async (entry, out) => {
  const webpack = require('webpack');
  const compiler = webpack({
    entry,
    target: 'node',
    mode: 'production',
    output: { path: out, filename: 'main.js' },
    resolveLoader: { modules: [path.join(__dirname, '../../node_modules')] },
    ...config,
  });
  const stats = await new Promise((resolve, reject) => {
    compiler.run((error, result) => (error ? reject(error) : resolve(result)));
  });
  if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
};

/** @param {import('esbuild').BuildOptions} options @returns {Bundle} */
const withEsbuild = (options) => async (entry, out) => {
  await require('esbuild').build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    outfile: path.join(out, 'main.js'),
    logLevel: 'silent',
    ...options,
  });
};

/** @param {import('rollup').RollupOptions} options @param {import('rollup').OutputOptions} output @returns {Bundle} */
const withRollup = (options, output) => async (entry, out) => {
  const plugins = [
    require('@rollup/plugin-node-resolve').nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }),
    require('@rollup/plugin-commonjs')(),
    require('@rollup/plugin-json')(),
  ];
  const bundle = await require('rollup').rollup({ input: entry, plugins, onwarn: () => {}, ...options });
  await bundle.write({ file: path.join(out, 'main.js'), inlineDynamicImports: true, ...output });
  await bundle.close();
};

/** @param {object} options @returns {Bundle} */
const withNcc = (options) => async (entry, out) => {
  const { code, assets } = await require('@vercel/ncc')(entry, { cache: false, quiet: true, ...options });
  fs.writeFileSync(path.join(out, 'main.js'), code);
  for (const [name, { source }] of Object.entries(assets)) {
    fs.mkdirSync(path.dirname(path.join(out, name)), { recursive: true });
    fs.writeFileSync(path.join(out, name), source);
  }
};

const nodeLoader = { module: { rules: [{ test: /\.node$/, loader: 'node-loader' }] } };
/** What Next does for `serverExternalPackages`: it decides for each request. */
const asNext = {
  externalsPresets: { node: true },
  externals: [async ({ request }) => (request === OURS ? `commonjs ${request}` : undefined)],
};

module.exports = { OURS, asNext, nodeLoader, withEsbuild, withNcc, withRollup, withWebpack };
