'use strict';

/** JSON that is long, taken apart in slices: `JSON.parse` of 10 MB holds the event loop for 50 ms and more. */

/** What is parsed at once, in bytes; the worst that fits in there takes some milliseconds. */
const PIECE = 65_536;

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** How many times as many values as may be parsed at once all pieces together may have. */
const MOST_PIECES = 100;

/**
 * Finds lists that an object has as its members, and where they can be cut. What it finds is right if the text
 * is valid, which parsing the pieces shows.
 */
class Cuts {
  #bytes;
  #mostValues;
  #names;
  /** How deep the members are. */
  #level;
  #at = 0;
  #depth = 0;
  #inString = false;
  /** How many values there are outside of the lists, in the lists, and in the piece. */
  #frameValues = 0;
  #listValues = 0;
  #pieceValues = 0;
  /** Where the last text that is a member's key or value begins. */
  #text = 0;
  #pieceStart = 0;
  /** The list that is open. @type {[start: number, end: number][] | null} */
  #list = null;
  /** Of each list, its pieces. @type {[start: number, end: number][][]} */
  lists = [];

  /**
   * @param {Buffer} bytes
   * @param {number} mostValues in a piece, or outside of the lists
   * @param {string[]} names of the lists
   * @param {number} level how deep the object is whose members they are
   */
  constructor(bytes, mostValues, names, level) {
    this.#bytes = bytes;
    this.#level = level;
    this.#mostValues = mostValues;
    this.#names = names.map((name) => Buffer.from(`"${name}"`));
  }

  /**
   * Looks at the next bytes.
   * @returns {boolean} whether there are more
   * @throws {Error} at more values than may be parsed at once, or when the text is cut off
   */
  advance() {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + PIECE);
    let at = this.#at;
    let inString = this.#inString;
    while (at < end) {
      const byte = bytes[at];
      if (inString) {
        if (byte === BACKSLASH) at++;
        else if (byte === QUOTE) inString = false;
      } else if (byte === QUOTE) {
        inString = true;
        if (this.#depth === this.#level) this.#text = at;
      } else if (byte === COMMA) this.#comma(at);
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.#open(at, byte);
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) this.#close(at);
      at++;
    }
    this.#at = at;
    this.#inString = inString;
    if (at < bytes.length) return true;
    if (this.#depth !== 0) throw new SyntaxError('the text is cut off');
    return false;
  }

  #comma(at) {
    if (this.#list !== null && this.#isInList() && at - this.#pieceStart >= PIECE) this.#cut(at);
    this.#count();
  }

  #open(at, byte) {
    this.#count();
    this.#depth++;
    if (byte !== OPEN_LIST || !this.#isInList() || !this.#names.some((name) => this.#isAt(name))) return;
    this.#list = [];
    this.lists.push(this.#list);
    this.#pieceStart = at + 1;
    this.#pieceValues = 0;
  }

  /** Whether what comes next would be an item of a list. */
  #isInList() {
    return this.#depth === this.#level + 1;
  }

  /** Whether the last text of a member is this one. */
  #isAt(text) {
    return this.#bytes.subarray(this.#text, this.#text + text.length).equals(text);
  }

  #close(at) {
    if (this.#isInList() && this.#list !== null) {
      this.#cut(at);
      this.#list = null;
    }
    this.#depth--;
  }

  #count() {
    const values = this.#list === null ? ++this.#frameValues : ++this.#pieceValues;
    if (this.#list !== null) this.#listValues++;
    if (values <= this.#mostValues && this.#listValues <= MOST_PIECES * this.#mostValues) return;
    throw new RangeError('too many values');
  }

  #cut(at) {
    this.#list?.push([this.#pieceStart, at]);
    this.#pieceStart = at + 1;
    this.#pieceValues = 0;
  }
}

/**
 * Parses an object; should it be long, some lists that are its members piece by piece.
 * @param {Buffer} bytes
 * @param {{ values: number, bytes: number }} most what may be parsed at once
 * @param {string[]} names of the lists
 * @param {(message: any) => boolean} isWanted whether the lists are; they are not parsed yet
 * @param {string} [holder] the member of the object that has the lists, where that is not the object itself
 * @returns {Generator<void, any>} between pieces it yields; the object, or nothing when it is not wanted
 * @throws {Error} when it is not valid
 */
function* parseInSlices(bytes, most, names, isWanted, holder) {
  if (bytes.length <= PIECE) return JSON.parse(bytes.toString());
  const cuts = new Cuts(bytes, most.values, names, holder === undefined ? 1 : 2);
  while (cuts.advance()) yield;
  checkLengths(bytes.length, cuts.lists, most.bytes);
  const message = parseFrame(bytes, cuts.lists);
  if (!isWanted(message)) return undefined;
  const lists = (holder === undefined ? message : message[holder]) ?? {};
  for (const name of names) {
    if (Array.isArray(lists[name])) lists[name] = yield* parsePieces(bytes, cuts.lists[lists[name][0]]);
  }
  return message;
}

/** @throws {RangeError} when one of the pieces, or what is outside of the lists, is longer than may be parsed at once */
function checkLengths(length, lists, most) {
  let frame = length;
  let longest = 0;
  for (const [start, end] of lists.flat()) {
    frame -= end - start;
    longest = Math.max(longest, end - start);
  }
  if (Math.max(frame, longest) > most) throw new RangeError('too long');
}

/** The object; in the place of what its lists hold, the number of each. */
function parseFrame(bytes, lists) {
  let text = '';
  let start = 0;
  lists.forEach((pieces, number) => {
    text += `${bytes.toString('utf8', start, pieces[0]?.[0])}${number}`;
    start = pieces.at(-1)?.[1] ?? bytes.length;
  });
  return JSON.parse(text + bytes.toString('utf8', start));
}

function* parsePieces(bytes, pieces) {
  /** @type {any[]} */
  const list = [];
  for (const [start, end] of pieces) {
    const items = JSON.parse(`[${bytes.toString('utf8', start, end)}]`);
    if (items.length === 0 && pieces.length > 1) throw new SyntaxError('a list ends in a comma');
    for (const item of items) list.push(item);
    yield;
  }
  return list;
}

module.exports = { PIECE, parseInSlices };
