// One row of the inbox: who it is, what happened last, whose it is, and what can be done with it at once.

import { clock, h, icon, initials } from './dom.js';
import { look, owed, reason, title } from './story.js';

/** `does(deed, row)`: read, unread, close, reopen, mine, back, open, pick. `may`: whether this user does any of it. */
export function rowMaker(live, { does, may, stamps }) {
  const t = (key, values) => live.t(key, values);

  function deed(name, label, picture) {
    return h('button', { type: 'button', class: 'deed plain square', tabindex: '-1', 'data-deed': name, 'aria-label': label, title: label }, icon(picture));
  }

  return function make(first) {
    let item = first;
    const parts = {
      box: h('input', { type: 'checkbox', tabindex: '-1' }),
      avatar: h('span', { class: 'avatar', 'aria-hidden': 'true' }),
      name: h('span', { class: 'name cut' }),
      company: h('span', { class: 'company soft cut' }),
      unread: h('span', { class: 'unread', hidden: true }, h('span', { class: 'sr', text: t('inbox.not_read') })),
      time: h('time', { class: 'num soft' }),
      last: h('span', { class: 'last cut' }),
      line: h('span', { class: 'line soft cut' }),
      marks: h('span', { class: 'marks' }),
    };
    const link = h('a', { class: 'row', tabindex: '-1' }, parts.avatar, h('span', { class: 'grow' }, h('span', { class: 'first' }, parts.name, parts.company, parts.unread, parts.time), h('span', { class: 'second' }, parts.last, parts.marks, parts.line)));
    const deeds = h('span', { class: 'deeds', hidden: !may }, deed('mine', t('inbox.take'), 'person'), deed('unread', '', 'mail'), deed('close', '', 'check'));
    const back = h('button', { class: 'back', type: 'button', tabindex: '-1', hidden: true }, icon('back'), h('span', { text: t('dial.back') }));
    const node = h('li', {}, may ? h('label', { class: 'pick' }, parts.box) : null, link, deeds, back);
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, as with every link
      event.preventDefault();
      does('open', item);
    });
    parts.box.addEventListener('click', (event) => does('pick', item, event));
    back.addEventListener('click', () => does('back', item));
    deeds.addEventListener('click', (event) => {
      const name = event.target.closest('button')?.dataset.deed;
      if (name === 'unread') does(item.unread ? 'read' : 'unread', item);
      else if (name === 'close') does(item.closed ? 'reopen' : 'close', item);
      else if (name) does(name, item);
    });

    function said() {
      const { call, message } = item;
      if (item.newest === 'message' && message) {
        const by = message.direction === 'outbound' ? (message.by ? t('inbox.text_by', { name: message.by }) : t('inbox.text_out')) : '';
        const failed = ['failed', 'unknown'].includes(message.state) ? t(`inbox.text_${message.state}`) : '';
        return [failed, [by, message.text || (message.files ? t('inbox.files') : '')].filter(Boolean).join(' ')];
      }
      if (!call) return [];
      const dialled = call.direction === 'outbound' ? call.started_by : null;
      const by = dialled && call.answered_by !== dialled ? t('call.dialled', { name: dialled }) : '';
      const who = call.answered_by ? t('call.by', { name: call.answered_by }) : by;
      const talk = call.answered_at && call.ended_at ? clock(call.ended_at - call.answered_at) : '';
      const why = reason(call);
      const back = call.callback;
      const byWhom = back && t(`callback.${back.state}`, { name: back.by ?? t('someone'), time: back.at ? stamps.time.format(new Date(back.at)) : '' });
      // What is to be done comes first: a narrow list cuts the end.
      return byWhom ? [byWhom, call.branch, why && t(why)] : [t(title(call)), why && t(why), who, talk, call.branch];
    }

    function draw(row, { picked = false, gone = false } = {}) {
      item = row;
      const { call } = item;
      const name = item.name || item.number || t('caller.anonymous');
      link.href = `/conversation?id=${item.conversation}`;
      if (item.id !== item.conversation) link.href += `&entry=${item.id}`;
      parts.name.textContent = name;
      parts.company.textContent = item.company;
      const letters = initials(item.name);
      if (letters) parts.avatar.textContent = letters;
      else parts.avatar.replaceChildren(icon(item.newest === 'message' ? 'chat' : 'phone'));
      parts.unread.hidden = !item.unread;
      node.dataset.unread = item.unread;
      parts.time.dateTime = new Date(item.at).toISOString();
      parts.time.title = new Date(item.at).toLocaleString();
      parts.time.textContent = stamps.of(item.at);
      const ofText = item.newest === 'message';
      node.dataset.look = ofText ? (['failed', 'unknown'].includes(item.message?.state) ? 'missed' : 'text') : call ? look(call) : '';
      node.dataset.back = (!ofText && call?.callback?.state) || '';
      parts.last.textContent = said().filter(Boolean).join(' · ');
      parts.marks.replaceChildren(
        ...item.tags.map((one) => h('span', { class: 'tag cut', style: `--tag: ${/^#[0-9a-f]{6}$/i.test(one.color) ? one.color : 'gray'}`, text: one.name })),
        ...(item.closed ? [h('span', { class: 'mark', text: t('inbox.closed') })] : []),
        ...(item.assigned ? [h('span', { class: 'mark owner cut', text: item.assigned.id === live.view.user ? t('inbox.you') : item.assigned.name })] : []),
      );
      parts.line.textContent = [item.flag, item.name ? item.number : '', item.line].filter(Boolean).join('  ');
      const calls = call && item.party && owed(call) && !ofText;
      back.hidden = !calls;
      back.setAttribute('aria-label', `${t('dial.back')}: ${name}`);
      const [unread, close] = [deeds.children[1], deeds.children[2]];
      label(unread, t(item.unread ? 'inbox.mark_read' : 'inbox.mark_unread'));
      label(close, t(item.closed ? 'inbox.reopen' : 'inbox.close'));
      deeds.children[0].hidden = item.closed || item.assigned?.id === live.view.user;
      parts.box.checked = picked;
      parts.box.setAttribute('aria-label', t('inbox.pick', { name }));
      node.classList.toggle('picked', picked);
      node.classList.toggle('gone', gone);
    }

    function label(button, text) {
      button.setAttribute('aria-label', text);
      button.title = text;
    }

    draw(first);
    return {
      node,
      link,
      draw,
      get item() {
        return item;
      },
      /** The one row that the Tab key stops at, with all that is in it. */
      current: (on) => [link, parts.box, ...deeds.children, back].forEach((one) => one.setAttribute('tabindex', on ? '0' : '-1')),
    };
  };
}
