// What stands in the snapshot below the profile: what is open, figures, the last contacts, what is related, and the AI's part.

import { h, icon } from './dom.js';
import { ago, lasting } from './moments.js';

const number = (value, locale) => new Intl.NumberFormat(locale).format(value);

/** `go(conversation, entry)`: show that place. `more(page)`: open a page of the console. */
export function parts(live, { go, page, role, here }) {
  const t = (key, values) => live.t(key, values);
  const locale = document.documentElement.lang || undefined;
  const when = (at, now) => h('time', { class: 'soft small', datetime: new Date(at).toISOString(), title: new Date(at).toLocaleString(), text: ago(at, now, locale) });

  /** A line that leads somewhere: sign, two rows of words, when. `said`: the title is what somebody wrote. */
  function line({ sign, look = '', title, detail = '', at, now, to, mark = null, said = false }) {
    return h('li', {}, h('button', { type: 'button', class: 'plain item', 'data-look': look, onclick: to }, h('span', { class: 'sign' }, icon(sign)), h('span', { class: 'two' }, h('span', { class: 'first' }, h('span', { class: said ? 'words' : 'cut', text: title }), mark), detail ? h('span', { class: 'soft small detail', text: detail }) : ''), when(at, now)));
  }

  const section = (title, ...content) => h('section', { class: 'part', 'aria-label': title }, h('h2', { text: title }), ...content);

  // ---- open points

  function open({ open_points: points, now }) {
    if (!points.length) return null;
    const name = (one) => one.by?.name || t('someone');
    const said = {
      callback: () => ['back', 'warn', t('open.callback'), ''],
      missed: (one) => ['missed', 'bad', t(one.outcome === 'voicemail' ? 'open.voicemail' : 'open.missed'), live.text[`missed.${one.missed_reason}`] ? t(`missed.${one.missed_reason}`) : ''],
      text: (one) => ['chat', 'bad', t(`open.text.${one.state}`), ''],
      note: (one) => ['edit', '', one.text, t('open.note', { name: name(one) })],
    };
    const lines = points.map((one) => {
      const [sign, look, title, why] = said[one.kind](one);
      const detail = [why, one.conversation === here ? '' : one.line].filter(Boolean).join(' · ');
      return line({ sign, look, title, detail, at: one.at, now, said: one.kind === 'note', to: () => go(one.conversation, one.kind === 'note' ? (one.call ?? one.id) : one.id) });
    });
    return section(t('snapshot.open'), h('ul', { class: 'lines-of' }, ...lines));
  }

  // ---- figures

  function figures({ figures: all, limited, now }) {
    const share = all.calls_in ? new Intl.NumberFormat(locale, { style: 'percent' }).format(all.answered_in / all.calls_in) : '–';
    const one = (name, value, title) => h('div', { title: title ?? null }, h('dt', { text: t(`figures.${name}`) }), h('dd', { class: 'num', text: value }));
    return section(
      t(limited ? 'snapshot.figures_lines' : 'snapshot.figures'),
      h('dl', { class: 'figures' },
        one('calls', number(all.calls, locale)),
        one('answered', share, all.calls_in ? t('figures.answered.of', { answered: number(all.answered_in, locale), calls: number(all.calls_in, locale) }) : t('figures.answered.none')),
        one('talk', all.talk_ms ? lasting(all.talk_ms, locale) : '–'),
        one('texts', number(all.texts, locale)),
        one('first', ago(all.first_at, now, locale), new Date(all.first_at).toLocaleString()),
        one('last', ago(all.last_at, now, locale), new Date(all.last_at).toLocaleString())),
    );
  }

  // ---- last contacts

  function contact(one, now) {
    const out = one.direction === 'outbound';
    const who = one.by?.name ?? '';
    const elsewhere = one.conversation === here ? '' : one.line;
    if (one.kind === 'text') {
      const wrong = ['failed', 'unknown'].includes(one.state) && !one.erased;
      const from = out ? who || t('text.auto') : t('last.text_in');
      const detail = [wrong ? t(`text.${one.state}`) : '', from, elsewhere].filter(Boolean).join(' · ');
      return line({ sign: 'chat', look: wrong ? 'warn' : '', title: one.text || t(one.erased ? 'text.erased' : 'last.files'), detail, at: one.at, now, said: true, to: () => go(one.conversation, one.id) });
    }
    const going = one.state !== 'ended';
    const key = going ? 'last.live' : out ? (one.outcome === 'answered' ? 'last.out' : 'last.out.none') : { answered: 'last.in', voicemail: 'last.voicemail', callback: 'last.missed' }[one.outcome] ?? 'last.missed';
    const bad = !going && !out && one.outcome !== 'answered';
    return line({ sign: bad ? (one.outcome === 'voicemail' ? 'voicemail' : 'missed') : 'phone', look: bad ? 'bad' : going ? 'live' : '', title: t(key), detail: [who, one.talk_ms !== null ? lasting(one.talk_ms, locale) : '', elsewhere].filter(Boolean).join(' · '), at: one.at, now, to: () => go(one.conversation, one.id) });
  }

  function last({ last_contacts: all, now }) {
    return section(t('snapshot.last'), all.length ? h('ul', { class: 'lines-of' }, ...all.map((one) => contact(one, now))) : h('p', { class: 'soft small', text: t('last.none') }));
  }

  // ---- related

  function other(one, now) {
    const title = one.name || (one.anonymous ? t('caller.anonymous') : one.spoken);
    const mark = one.unread ? h('span', { class: 'dot', title: t('related.unread') }, h('span', { class: 'sr', text: t('related.unread') })) : null;
    const detail = [one.name ? `${one.flag ? `${one.flag} ` : ''}${one.anonymous ? t('caller.anonymous') : one.spoken}` : '', one.line, one.closed ? t('related.closed') : ''].filter(Boolean).join(' · ');
    return line({ sign: one.missed ? 'missed' : 'forum', look: one.missed ? 'bad' : '', title, detail, mark, at: one.last_at, now, to: () => go(one.id, null) });
  }

  function related({ related: all, now }) {
    const group = (name, rows) => (rows.length ? [h('h3', { text: t(`related.${name}`) }), h('ul', { class: 'lines-of' }, ...rows.map((one) => other(one, now)))] : []);
    const content = [...group('same_customer', all.same_customer), all.more ? h('p', { class: 'soft small', text: t('related.more', { count: all.more }) }) : null, ...group('same_company', all.same_company)].filter(Boolean);
    return section(t('snapshot.related'), ...(content.length ? content : [h('p', { class: 'soft small', text: t('related.none') })]));
  }

  // ---- AI

  function ai({ ai: part, now }) {
    const admin = role === 'administrator';
    const days = part.until ? Math.max(0, Math.ceil((part.until - now) / 86_400_000)) : 0;
    const badge = { on: t('ai.badge.on'), trial: t('ai.badge.trial', { days }), over: t('ai.badge.over'), off: t('ai.badge.off') }[part.state];
    const entitled = ['on', 'trial'].includes(part.state);
    const words = entitled ? t('ai.coming') : t(`ai.${part.state}`);
    const deed = !entitled && admin ? h('button', { type: 'button', onclick: () => page('plan') }, t(part.state === 'off' ? 'ai.start' : 'ai.add')) : null;
    return h(
      'section',
      { class: 'part ai', 'data-state': part.state, 'aria-label': t('snapshot.ai') },
      h('h2', {}, icon('spark'), h('span', { class: 'grow', text: t('snapshot.ai') }), h('span', { class: 'badge', text: badge })),
      h('p', { class: 'small', text: words }),
      !entitled && !admin ? h('p', { class: 'soft small', text: t('ai.ask') }) : null,
      deed,
    );
  }

  return (found) => [open(found), last(found), figures(found), related(found), ai(found)].filter(Boolean);
}
