/** The message box. What was not sent stays in it, with the reason beside it. */

const $ = (id) => document.getElementById(id);

export class Composer {
  /** What the server has not confirmed yet. @type {string | null} */
  #sending = null;
  /** What may have been sent before the worker was lost. @type {string | null} */
  #uncertain = null;
  #transmit;

  /**
   * @param {(text: string, done: (error: { message: string } | null) => void) => boolean} transmit sends a text;
   *   false where there is no worker to send it to
   */
  constructor(transmit) {
    this.#transmit = transmit;
    $('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #submit() {
    if (this.#sending !== null) return;
    const text = $('text').value;
    this.explain('');
    this.#uncertain = null;
    const done = (error) => {
      if (this.#sending !== text) return;
      this.#rest();
      if (error) this.explain(`Not sent: ${error.message} Send it again later.`);
      else $('text').value = '';
    };
    if (!this.#transmit(text, done)) return this.explain('Not sent: there is no connection to a worker.');
    this.#sending = text;
    $('text').readOnly = true;
  }

  #rest() {
    this.#sending = null;
    $('text').readOnly = false;
  }

  /** The worker is gone, perhaps with what was being sent. */
  disconnected() {
    if (this.#sending === null) return;
    this.#uncertain = this.#sending;
    this.#rest();
    this.explain('Perhaps not sent: the worker was lost before it confirmed. Send it again if it is not above.');
  }

  /** @param {string} text what has arrived from this page */
  arrived(text) {
    if (text !== this.#uncertain?.trim()) return;
    if ($('text').value === this.#uncertain) $('text').value = '';
    this.#uncertain = null;
    this.explain('');
  }

  /** @param {string} reason why something was not done, beside the box; '' takes it away */
  explain(reason) {
    $('reason').textContent = reason;
    $('reason').hidden = reason === '';
  }
}
