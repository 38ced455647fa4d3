'use strict';

/**
 * The packages as they are published, made in a staging directory: the checkout's own package.json
 * must not list the platform packages, or `npm ci` would look for them before they are published.
 */

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { billOfMaterials, crates, notices } = require('./third-party');

const ROOT = path.join(__dirname, '..');
const NPM_DIR = path.join(ROOT, 'npm');
/** What a platform's package gets when it is packed. */
const GENERATED = { notices: 'THIRD-PARTY-NOTICES.txt', bill: 'sbom.cdx.json' };
/** What of package.json only the checkout needs. */
const UNPUBLISHED = ['scripts', 'devDependencies', 'overrides', 'napi'];

/** @param {string} dir @returns {any} its package.json */
function manifest(dir) {
  return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));
}

/** @returns {string[]} the platforms that have a package, as in `npm/` */
function platforms() {
  return fs.readdirSync(NPM_DIR).sort();
}

/** @returns {string} the platform that this is */
function thisPlatform() {
  const report = /** @type {any} */ (process.report.getReport());
  const libc = report.header.glibcVersionRuntime ? 'gnu' : 'musl';
  const suffix = { linux: `-${libc}`, win32: '-msvc' }[process.platform] ?? '';
  return `${process.platform}-${process.arch}${suffix}`;
}

/** @param {string[]} args @param {string} cwd @returns {string} what npm printed */
function npm(args, cwd) {
  const cli = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : null;
  const [command, ...first] = cli ? [process.execPath, cli] : ['npm'];
  const { status, stdout, stderr, error } = spawnSync(command, [...first, ...args], {
    cwd,
    encoding: 'utf8',
    shell: !cli && process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${error ?? ''}${stdout}${stderr}`);
  return stdout;
}

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {string} tarball its path
 * @property {string[]} files what is in it
 * @property {number} size of the tarball, in bytes
 * @property {number} unpackedSize
 * @property {string} integrity its SHA-512, as npm has it
 */

/** @param {string[]} args of `npm pack` @param {string} cwd @returns {any} what it says of the one package */
function npmPack(args, cwd) {
  const [packed] = Object.values(JSON.parse(npm(['pack', '--json', '--ignore-scripts', ...args], cwd)));
  return packed;
}

/** @param {string} dir @param {string} out @returns {Packed} */
function pack(dir, out) {
  const { name, filename, files, size, unpackedSize, integrity } = npmPack(['--pack-destination', out], dir);
  const paths = files.map((/** @type {{ path: string }} */ file) => file.path).sort();
  return { name, tarball: path.join(out, filename), files: paths, size, unpackedSize, integrity };
}

/** @param {any} json a package.json, which gets the repository: npm's provenance wants it to be the one that builds */
function setRepository(json) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: built } = process.env;
  const { repository } = manifest(ROOT);
  json.repository = server && built ? { ...repository, url: `git+${server}/${built}.git` } : repository;
}

/** @param {string} dir @param {any} json */
function writeManifest(dir, json) {
  setRepository(json);
  fs.writeFileSync(path.join(dir, 'package.json'), `${JSON.stringify(json, null, 2)}\n`);
}

/** @param {string} dir where the main package is laid, as it is published */
function stageMain(dir) {
  for (const file of npmPack(['--dry-run'], ROOT).files) {
    fs.mkdirSync(path.dirname(path.join(dir, file.path)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file.path), path.join(dir, file.path));
  }
  const json = manifest(ROOT);
  for (const key of UNPUBLISHED) delete json[key];
  const entries = platforms().map((platform) => [manifest(path.join(NPM_DIR, platform)).name, json.version]);
  json.optionalDependencies = Object.fromEntries(entries);
  writeManifest(dir, json);
}

/**
 * @param {string} platform
 * @param {string} binaries the folder that holds the platform's `.node`
 * @param {string} dir where the package is laid
 */
function stagePlatform(platform, binaries, dir) {
  const source = path.join(NPM_DIR, platform);
  if (!fs.existsSync(source)) throw new Error(`There is no package for ${platform} in npm/.`);
  const json = manifest(source);
  const binary = path.join(binaries, json.main);
  if (!fs.existsSync(binary)) throw new Error(`${binary} is missing: build it first (npm run build).`);
  if (json.version !== manifest(ROOT).version) throw new Error(`npm/${platform} has another version: npx napi version`);
  fs.cpSync(source, dir, { recursive: true });
  fs.copyFileSync(binary, path.join(dir, json.main));
  // Artifacts of a workflow come without the mode that Cargo gives; the same bytes are packed either way.
  fs.chmodSync(path.join(dir, json.main), 0o644);
  fs.copyFileSync(path.join(ROOT, 'LICENSE'), path.join(dir, 'LICENSE'));
  const linked = crates(platform);
  fs.writeFileSync(path.join(dir, GENERATED.notices), notices(linked));
  fs.writeFileSync(path.join(dir, GENERATED.bill), billOfMaterials(linked, json.name));
  json.files.push(...Object.values(GENERATED));
  writeManifest(dir, json);
}

/**
 * The paths of the machine that built a binary, which are in it where RUSTFLAGS of rust-flags.js were left out.
 * @param {string} binary
 * @returns {string[]}
 */
function buildersPaths(binary) {
  const text = fs.readFileSync(binary, 'latin1');
  return [
    ...new Set(text.match(/(\/root|\/home\/[\w.-]+|\/Users\/[\w.-]+|[A-Z]:\\Users\\[\w.-]+)[\\/][\w.\\/-]+\.rs/g)),
  ];
}

/**
 * Packs the platforms' packages and then the main one, which is the order to publish them in.
 * @param {{ out: string, binaries: string, only?: string[] }} options `only`: these platforms, else all
 * @returns {Packed[]}
 */
function packAll({ out, binaries, only = platforms() }) {
  const staging = fs.mkdtempSync(path.join(os.tmpdir(), 'sio-redis-pack-'));
  try {
    fs.mkdirSync(out, { recursive: true });
    for (const platform of only) stagePlatform(platform, binaries, path.join(staging, platform));
    stageMain(path.join(staging, 'main'));
    return [...only, 'main'].map((name) => pack(path.join(staging, name), out));
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
  }
}

/** @param {Packed[]} packed */
function list(packed) {
  for (const { tarball, size, unpackedSize, integrity } of packed) {
    console.log(`${path.relative(process.cwd(), tarball)}  ${size} bytes, unpacked ${unpackedSize}, ${integrity}`);
  }
}

module.exports = { GENERATED, ROOT, buildersPaths, list, npm, packAll, platforms, thisPlatform };
