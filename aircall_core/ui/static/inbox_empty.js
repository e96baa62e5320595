// What the inbox says where it lists nothing, and the way to where there may be more.

import { h, icon } from './dom.js';
import { active, isLost } from './inbox_choice.js';

export function inboxEmpty(live, choice, bar) {
  const t = (key, values) => live.t(key, values);
  const [title, hint] = [h('h3', {}), h('p', { class: 'soft' })];
  const way = h('button', { type: 'button', hidden: true });
  const node = h('div', { class: 'empty', hidden: true }, icon('chat'), title, hint, way);
  const everywhere = () => bar.change({ category: 'all' });
  const wider = h('button', { class: 'more', type: 'button', hidden: true, onclick: everywhere });

  /** Other categories may hold more of what one looks for. */
  const elsewhere = () => choice.category !== 'all' && Boolean(choice.search.trim() || isLost(choice));

  const further = h('a', { target: '_blank', text: t('inbox.search_older') });
  const deeper = h('p', { class: 'deeper soft', hidden: true }, t('inbox.older'), ' ', further);

  /** `older`: whether a search has older hits that were not looked at. */
  function draw(older) {
    wider.textContent = t(choice.search.trim() ? 'inbox.search_all' : 'inbox.look_all');
    const searched = choice.search.trim();
    const filtered = active(choice).length > 0;
    deeper.hidden = !older;
    further.href = `/search?${new URLSearchParams({ text: searched })}`;
    title.textContent = searched ? t('inbox.not_found', { text: searched }) : t(filtered ? 'inbox.none_filtered' : `inbox.none_${choice.category}`);
    hint.textContent = isLost(choice) ? t('inbox.hint_undelivered') : searched || filtered ? '' : t(`inbox.hint_${choice.category}`);
    way.hidden = !elsewhere() && !filtered;
    way.textContent = elsewhere() ? wider.textContent : t('inbox.clear');
    way.onclick = () => (elsewhere() ? everywhere() : bar.clear());
  }

  return { node, wider, deeper, elsewhere, draw, said: () => title.textContent };
}
