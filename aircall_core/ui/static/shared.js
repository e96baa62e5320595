// The parts of the page that live as long as it does, made once and hung on `window.__aircall`.

import { Aloud } from './aloud.js';
import { Beacon } from './beacon.js';
import { Calls } from './calls.js';
import { Detached } from './detach.js';
import { askBeforeLeaving } from './leave.js';
import { deskUrl, live } from './live.js';
import { Notifier } from './notify.js';
import { Phone } from './phone.js';
import { Ringtone } from './ringtone.js';
import { Shortcuts } from './shortcuts.js';
import { TextNews } from './text_news.js';
import { Unread } from './unread.js';

/** Start everything (the first view to mount does it); later calls only pass on what the page says. */
export function shared(data) {
  const one = live();
  if (!one.parts) {
    one.parts = true;
    one.phone ??= new Phone(one);
    one.tone = new Ringtone(undefined, kept());
    one.ringer = new Aloud(one, one.tone, navigator.locks);
    one.calls = new Calls(one, { phone: one.phone, aloud: one.ringer, storage: sessionStorage });
    one.phone.addEventListener('mic', () => one.setDevice({ armed: armed(one), mic: one.phone.mic }));
    one.phone.addEventListener('switched', ({ detail }) => one.toast(one.t(`switched.${detail.what}`), { key: 'device' }));
    one.tone.addEventListener('state', () => one.setDevice({ armed: armed(one), sound: one.tone.state }));
    const unlock = () => {
      if (one.view.duty && one.tone.state !== 'ok') one.tone.unlock();
    };
    addEventListener('click', unlock, true);
    addEventListener('keydown', unlock, true);
    one.shortcuts = new Shortcuts(one);
    one.detached = new Detached(one);
    one.notifier = new Notifier(one);
    one.texts = new TextNews(one, one.notifier);
    one.beacon = new Beacon(one);
    one.unread = new Unread(one);
    askBeforeLeaving(one);
  }
  if (data.preconnect !== undefined) one.calls.preconnect = data.preconnect;
  one.start({ deskUrl: deskUrl(data), user: data.user, text: data.text });
  return one;
}

/** The browser's storage, where it may be used. */
function kept() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** This tab can be rung and answer: microphone and sound are both there. */
function armed(one) {
  return one.phone.armed && one.tone.state === 'ok';
}
