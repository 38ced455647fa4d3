/**
 * Has typedoc-plugin-markdown make one page that a reader finds something on: what an application calls comes first, a
 * list of contents is at the top, and each member stands once, where it is declared.
 */

import { Converter, ReflectionGroup, ReflectionKind } from 'typedoc';
import { MarkdownPageEvent, MarkdownTheme, MarkdownThemeContext } from 'typedoc-plugin-markdown';

/** What an application calls, in this order. What is not named here comes behind. */
const FIRST = [
  'createAdapter',
  'createShardedAdapter',
  'createStreamsAdapter',
  'WebSocketServer',
  'RedisStore',
  'Emitter',
  'StreamsEmitter',
];
const CALLED = ReflectionKind.Class | ReflectionKind.Function | ReflectionKind.Variable;

/** The groups of all exports: the first one that fits is taken. */
const GROUPS = [
  ['Functions and classes', ({ kind }) => (kind & CALLED) !== 0],
  [
    'Where Redis is',
    ({ name }) => /Endpoint|Address|Sentinel|Credentials|Tls|^RedisClientObject$|^Accepted/.test(name),
  ],
  ['Options', ({ name }) => /(Options|Settings|Filter)$/.test(name)],
  ['Events and errors', ({ name }) => /(Events|Error|Listener)$/.test(name)],
  ['Figures', ({ name }) => /(Stats|Depth|Reason)$/.test(name)],
  ['Other types', () => true],
];

const LAST = Number.MIN_SAFE_INTEGER;

/** @param {import('typedoc').DeclarationReflection} member */
const isInherited = ({ inheritedFrom, signatures = [] }) =>
  Boolean(inheritedFrom) || (signatures.length > 0 && signatures.every((signature) => signature.inheritedFrom));

/** Leaves out what is declared elsewhere: `Extends` says where. @param {import('typedoc').ProjectReflection} project */
function leaveOutInherited(project) {
  for (const owner of project.getReflectionsByKind(ReflectionKind.ClassOrInterface)) {
    for (const member of (owner.children ?? []).filter(isInherited)) {
      for (const group of owner.groups ?? []) group.children = group.children.filter((child) => child !== member);
      project.removeReflection(member);
    }
    owner.groups = owner.groups?.filter(({ children }) => children.length > 0);
  }
}

/** @param {import('typedoc').ProjectReflection} project */
function group(project) {
  const place = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const named = (project.children ?? []).filter(({ name }) => name !== 'default'); // `createAdapter` once more
  const all = named.sort((a, b) => place(a) - place(b));
  project.groups = GROUPS.map(([title]) => new ReflectionGroup(title, project));
  for (const child of all) project.groups[GROUPS.findIndex(([, fits]) => fits(child))].children.push(child);
  project.groups = project.groups.filter(({ children }) => children.length > 0);
}

/** A list in a cell of a table would become one line. @param {import('typedoc').ProjectReflection} project */
function breakLists(project) {
  for (const { comment } of project.getReflectionsByKind(ReflectionKind.Property))
    for (const part of comment?.summary ?? [])
      part.text = part.text.replace(/(^|\n)- /g, (_, begin) => `${begin && '<br>'}• `);
}

/** @param {string} heading without its signs @returns {string} the anchor that it has */
const slug = (heading) =>
  heading
    .toLowerCase()
    .replace(/\\|\(\)/g, '')
    .replaceAll(' ', '-');

/** Rows of tables have anchors that few tools know: has links lead to their sections. @param {string} page */
function linkSections(page) {
  /** @type {Map<string, string>} */
  const sections = new Map();
  for (const section of page.split(/^### /m).slice(1))
    for (const [, id] of section.matchAll(/<a id="([^"]+)"><\/a>/g)) sections.set(id, slug(section.split('\n', 1)[0]));
  return page
    .replace(/\]\(#([^)]+)\)/g, (link, id) => (sections.has(id) ? `](#${sections.get(id)})` : link))
    .replace(/<a id="[^"]+"><\/a> /g, '');
}

/** @param {string} page @returns {string} the links to its sections, a line for each group */
function contents(page) {
  const lines = [];
  for (const [, level, escaped] of page.replace(/^```[^]*?^```/gm, '').matchAll(/^(##|###) (.+)$/gm)) {
    const title = escaped.replace(/\\|\(\)/g, '');
    const link = (/** @type {string} */ text) => `[${text}](#${slug(title)})`;
    if (level === '##') lines.push(`- ${link(title)}:`);
    else lines.push(`${lines.pop()} ${link(`\`${title}\``)}`);
  }
  return lines.join('\n');
}

/** Without what says again what the code block has said. */
class Context extends MarkdownThemeContext {
  constructor(...args) {
    super(...args);
    const { signatureReturns } = this.partials;
    const says = ({ comment, type }) => comment?.getTag('@returns') || type?.declaration?.children;
    this.partials = {
      ...this.partials,
      inheritance: () => '',
      signatureReturns: (model, options) => (says(model) ? signatureReturns(model, options) : ''),
    };
  }
}

class OnePageTheme extends MarkdownTheme {
  getRenderContext(page) {
    return new Context(this, page, this.application.options);
  }
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.renderer.defineTheme('one-page', OnePageTheme);
  app.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      leaveOutInherited(project);
      breakLists(project);
      group(project);
    },
    LAST,
  );
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    const text = linkSections(page.contents);
    page.contents = text.replace(/^## /m, `${contents(text)}\n\n## `);
  });
}
