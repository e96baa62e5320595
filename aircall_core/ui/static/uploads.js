// Files on their way to the desk, one after the other, with their progress; what is up there is a draft's attachment.

const ONE_MB = 1_000_000;
const IMAGES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

export const isImage = (type) => IMAGES.has(type);

/** 812 B, 34 KB, 4.9 MB. */
export function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < ONE_MB ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / ONE_MB).toFixed(1).replace('.0', '')} MB`;
}

/**
 * Why a file cannot be attached: the key of the words and what stands in them; null if it can. `limits`: {files, bytes of all
 * of them together, types}; `attached` and `bytes`: what is there already.
 */
export function refusal(file, { attached, bytes, limits }) {
  if (attached >= limits.files) return ['compose.file.too_many', { count: limits.files }];
  if (!file.size) return ['compose.file.empty', { name: file.name }];
  if (bytes + file.size > limits.bytes) return [bytes ? 'compose.file.too_much' : 'compose.file.too_large', { name: file.name, size: sizeText(limits.bytes) }];
  const types = limits.types ?? [];
  const fits = (type) => type === file.type || (type.endsWith('/*') && file.type.startsWith(type.slice(0, -1)));
  if (types.length && file.type && !types.some(fits)) return ['compose.file.type', { name: file.name }];
  return null; // a type that the browser does not know is for the desk to judge
}

/** `done(file)` gets what the desk says of a file that is up; `changed()` follows each step. */
export class Uploads {
  constructor(live, conversation, { done, changed }) {
    Object.assign(this, { live, conversation, done, changed, list: [], made: 0 });
  }

  get busy() {
    return this.list.some((one) => !one.problem);
  }

  add(file) {
    const one = { key: (this.made += 1), name: file.name, size: file.size, type: file.type, part: 0, problem: '', file, request: null };
    one.preview = isImage(file.type) ? URL.createObjectURL(file) : '';
    this.list.push(one);
    this.changed();
    this.#next();
  }

  remove(key) {
    const one = this.list.find((each) => each.key === key);
    if (!one) return;
    one.request?.abort();
    this.#drop(one);
    this.#next();
  }

  again(key) {
    const one = this.list.find((each) => each.key === key);
    if (one) Object.assign(one, { problem: '', part: 0 });
    this.changed();
    this.#next();
  }

  #next() {
    if (this.list.some((one) => one.request)) return;
    const one = this.list.find((each) => !each.problem);
    if (one) this.#send(one);
  }

  // fetch() tells nothing of what has gone out yet.
  #send(one) {
    const url = new URL(`/desk/conversations/${this.conversation}/attachments`, this.live.deskUrl);
    url.searchParams.set('name', one.name);
    const request = (one.request = new XMLHttpRequest());
    request.open('POST', url.href);
    request.withCredentials = true;
    request.responseType = 'json';
    request.upload.onprogress = (event) => {
      one.part = event.lengthComputable ? event.loaded / event.total : 0;
      this.changed();
    };
    request.onload = () => (request.status < 300 ? this.#up(one, request.response) : this.#failed(one, request.response?.error?.message ?? this.live.t('error.failed')));
    request.onerror = () => this.#failed(one, this.live.t('compose.file.offline'));
    request.send(one.file);
  }

  #up(one, file) {
    one.request = null;
    this.done({ ...file, preview: one.preview });
    one.preview = '';
    this.#drop(one);
    this.#next();
  }

  #failed(one, problem) {
    Object.assign(one, { request: null, problem });
    this.changed();
    this.#next();
  }

  #drop(one) {
    if (one.preview) URL.revokeObjectURL(one.preview);
    this.list = this.list.filter((each) => each !== one);
    this.changed();
  }

  stop() {
    for (const one of this.list) {
      one.request?.abort();
      if (one.preview) URL.revokeObjectURL(one.preview);
    }
    this.list = [];
  }
}
