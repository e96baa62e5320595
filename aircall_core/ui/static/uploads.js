// Files on their way to the desk, one after the other, with their progress; what is up there is a draft's attachment.

const ONE_MB = 1_000_000;
const MEDIA = new Set(['image', 'audio', 'video']);
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
  // A browser goes by the name: .m4a is audio/x-m4a to it, .vcf text/x-vcard. Only what can be none of ours is refused unsent.
  const [main] = file.type.split('/');
  const types = limits.types ?? [];
  if (types.length && file.type && !/vcard|directory/.test(file.type) && !types.some((type) => type === file.type || (MEDIA.has(main) && type.startsWith(`${main}/`)))) return ['compose.file.type', { name: file.name }];
  return null; // what the file is, the desk says by its first bytes
}

/** `done(file)` gets what the desk says of a file that is up; `changed()` follows each step. */
export class Uploads {
  constructor(live, conversation, { done, changed }) {
    Object.assign(this, { live, conversation, done, changed, list: [], made: 0, left: false });
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
    if (this.left) this.live.toast(this.live.t('compose.file.lost', { name: one.name, why: problem }), { kind: 'error' });
    this.changed();
    this.#next();
  }

  #drop(one) {
    if (one.preview) URL.revokeObjectURL(one.preview);
    this.list = this.list.filter((each) => each !== one);
    this.changed();
  }

  /** The conversation is left. What is on its way goes on, and is there when one comes back: it is the draft's. */
  stop() {
    this.left = true;
    this.changed = () => {};
    for (const one of this.list) {
      if (one.preview) URL.revokeObjectURL(one.preview);
      one.preview = '';
    }
    this.list = this.list.filter((one) => !one.problem);
  }
}
