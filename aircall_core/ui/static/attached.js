// The files of a text being written: pictures as small pictures, others by name, each with its way to the desk and a way off.

import { h, icon } from './dom.js';
import { isImage, refusal, sizeText, Uploads } from './uploads.js';

/** `draft`: whose files these are; `limits()`: {files, bytes, types}; `say(words)`: what cannot be attached. */
export function attached(live, draft, { limits, say, changed }) {
  const t = (key, values) => live.t(key, values);
  const previews = new Map(); // id -> the browser's own address of a picture that was just attached
  const node = h('ul', { class: 'files', 'aria-label': t('compose.files'), hidden: true });
  const input = h('input', { type: 'file', multiple: true, hidden: true, 'aria-label': t('compose.attach'), onchange: () => (add([...input.files]), (input.value = '')) });
  const uploads = new Uploads(live, draft.call, {
    changed: draw,
    done: ({ preview, ...file }) => {
      if (preview) previews.set(file.id, preview);
      draft.attach(file);
    },
  });

  function add(files) {
    const wrong = [];
    for (const file of files) {
      const there = [...draft.files, ...uploads.list];
      const why = refusal(file, { attached: there.length, bytes: there.reduce((sum, one) => sum + one.size, 0), limits: limits() });
      if (why) wrong.push(t(...why));
      else uploads.add(file);
    }
    say([...new Set(wrong)].join(' '));
  }

  async function remove(file) {
    draft.detach(file.id);
    forget(file.id);
    try {
      await live.request(`/desk/attachments/${file.id}`, undefined, { method: 'DELETE' });
    } catch (error) {
      console.warn('aircall: an attachment that was taken off is still at the desk', error.code); // it goes with the draft
    }
  }

  function forget(id) {
    if (previews.has(id)) URL.revokeObjectURL(previews.get(id));
    previews.delete(id);
  }

  const source = (file) => previews.get(file.id) ?? new URL(`/desk/attachments/${file.id}`, live.deskUrl).href;

  function thumb(image, name) {
    const shown = image ? h('img', { crossorigin: 'use-credentials', src: image, alt: '' }) : icon('file');
    shown.addEventListener?.('error', () => shown.replaceWith(icon('file')));
    return h('span', { class: 'thumb', title: name }, shown);
  }

  function item(name, size, image, extra, off) {
    const label = t('compose.file.remove', { name });
    return h('li', { class: 'file' }, thumb(image, name), h('span', { class: 'what' }, h('span', { class: 'cut', text: name }), h('span', { class: 'soft small', text: sizeText(size) }), ...extra), h('button', { type: 'button', class: 'plain square', 'aria-label': label, title: label, onclick: off }, icon('close')));
  }

  let drawn = '';
  function draw() {
    const now = JSON.stringify([draft.ids, draft.sending, uploads.list.map((one) => [one.key, one.problem])]);
    if (now !== drawn) {
      drawn = now;
      const going = uploads.list.map((one) => {
        const extra = one.problem
          ? [h('span', { class: 'wrong', role: 'alert', text: one.problem }), h('button', { type: 'button', class: 'plain small', text: t('retry'), onclick: () => uploads.again(one.key) })]
          : [h('progress', { max: '1', value: String(one.part), 'aria-label': t('compose.file.going', { name: one.name }) })];
        return item(one.name, one.size, one.preview, extra, () => uploads.remove(one.key));
      });
      node.replaceChildren(...draft.files.map((file) => item(file.name, file.size, isImage(file.content_type) ? source(file) : '', [], () => remove(file))), ...going);
      node.hidden = !node.children.length;
    }
    const bars = [...node.querySelectorAll('progress')];
    uploads.list.filter((one) => !one.problem).forEach((one, i) => bars[i] && (bars[i].value = one.part));
    for (const id of [...previews.keys()]) if (!draft.ids.includes(id)) forget(id);
    changed();
  }

  return {
    node,
    input,
    add,
    draw,
    get busy() {
      return uploads.busy;
    },
    get failed() {
      return uploads.list.some((one) => one.problem);
    },
    stop() {
      uploads.stop();
      [...previews.keys()].forEach(forget);
    },
  };
}
