// The times in a timeline: each leads to its entry, as a link to open or, with a click, to have copied.

import { h } from './dom.js';

/** `time(ms)` in words; `stamp(ms)` a plain time; `of(entry)` makes the times of an entry of `conversation`, or of its own. */
export function timelineStamps(live, conversation) {
  const t = (key, values) => live.t(key, values);
  const name = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });

  const time = (ms) => name.format(new Date(ms));

  function stamp(ms) {
    const at = new Date(ms);
    return h('time', { class: 'num', datetime: at.toISOString(), title: `${at.toLocaleString()} · ${t('timeline.copy_link')}`, text: time(ms) });
  }

  const of = (entry) => (ms) => {
    const href = `/conversation?${new URLSearchParams({ id: entry.conversation_id ?? conversation, entry: entry.seq })}`;
    return h('a', { class: 'stamp', href, 'aria-label': `${time(ms)} · ${t('timeline.copy_link')}`, onclick: (event) => copy(event, href) }, stamp(ms));
  };

  async function copy(event, href) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(new URL(href, location.href).href);
      live.toast(t('timeline.copied'), { key: 'timeline' });
    } catch (error) {
      console.warn('aircall: the clipboard is closed to this page', error);
      live.toast(t('timeline.not_copied'), { kind: 'error', key: 'timeline' });
    }
  }

  return { time, of };
}
