// The console's service worker, at /sw.js with scope "/". It shows what the tabs ask for while none of them is looked at,
// and brings a tab to the front when a notification is clicked. It holds no state that matters: browsers stop it at will.

const PREFIX = 'ring.';
const HEARD_MS = 4000; // a tab that has not answered by then is frozen or not the console: it is loaded anew

self.addEventListener('install', () => self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

let queue = Promise.resolve();
/** One after the other: a ring's end that comes right behind its beginning must not be overtaken by it. */
const inTurn = (run) => (queue = queue.then(run, run));

const windows = () => self.clients.matchAll({ type: 'window', includeUncontrolled: true });

self.addEventListener('message', (event) => {
  const { t, notes, looking, conversation } = event.data ?? {};
  if (t === 'ringing') event.waitUntil(inTurn(() => reconcile(notes, looking, event.source?.id)));
  if (t === 'text') event.waitUntil(inTurn(() => text(event.data, event.source?.id)));
  if (t === 'text-over') event.waitUntil(inTurn(() => textOver(conversation)));
});

/** Make what is shown equal to what rings; while a tab of the console is looked at, its ringer says it all. */
async function reconcile(notes, looking, teller) {
  const seen = looking || (await windows()).some((tab) => tab.focused);
  const wanted = seen ? [] : notes;
  const open = (await self.registration.getNotifications()).filter((one) => one.tag.startsWith(PREFIX));
  for (const one of open) if (!wanted.some((note) => note.call === one.data.call)) one.close();
  for (const note of wanted) {
    if (open.some((one) => one.data.call === note.call)) continue;
    const { title, options, call, desk } = note;
    await self.registration.showNotification(title, { ...options, tag: PREFIX + call, data: { call, desk, tab: teller } });
  }
}

/** A text came in: told unless a tab of the console is looked at, whose navigation counts it. */
async function text({ looking, conversation, entry, title, options }, teller) {
  if (looking || (await windows()).some((tab) => tab.focused)) return;
  await self.registration.showNotification(title, { ...options, data: { place: { id: conversation, entry }, tab: teller } });
}

async function textOver(conversation) {
  for (const one of await self.registration.getNotifications({ tag: `text.${conversation}` })) one.close();
}

/** Closed by hand: the tabs shall not bring it back for this ring. */
self.addEventListener('notificationclose', (event) => {
  const { call } = event.notification.data ?? {};
  if (call) event.waitUntil(windows().then((tabs) => tabs.forEach((tab) => tab.postMessage({ t: 'closed', call }))));
});

self.addEventListener('notificationclick', (event) => {
  const { data } = event.notification;
  event.notification.close();
  if (data?.call) event.waitUntil(chosen(event.action, data));
  else if (data?.place) event.waitUntil(opened(data));
  else event.waitUntil(windows().then((tabs) => (tabs[0] ? front(tabs[0]) : self.clients.openWindow('/'))));
});

/** Accept needs the phone of a tab, so that the caller is heard: the tab that asked for the notification, else another. */
async function chosen(action, { call, desk, tab: teller }) {
  const tabs = await windows();
  const tab = tabs.find((one) => one.id === teller) ?? tabs.find((one) => one.focused) ?? tabs[0];
  const address = action === 'accept' ? `/?accept=${encodeURIComponent(call)}` : '/';
  if (!tab) return action === 'reject' ? reject(call, desk) : self.clients.openWindow(address);
  // Begun first, since browsers allow it only for a moment after the click; not waited for, since the caller waits too.
  if (action !== 'reject') front(tab);
  if (await heard(tab, { t: 'chosen', action, call })) return undefined;
  return action === 'reject' ? reject(call, desk) : tab.navigate(address);
}

/** A tab shows the text in its conversation, without being loaded anew: it may be in a call. */
async function opened({ place, tab: teller }) {
  const tabs = await windows();
  const tab = tabs.find((one) => one.id === teller) ?? tabs[0];
  const address = `/conversation?${new URLSearchParams(place)}`;
  if (!tab) return self.clients.openWindow(address);
  front(tab);
  return (await heard(tab, { t: 'chosen', action: 'open', place })) ? undefined : tab.navigate(address);
}

async function front(tab) {
  try {
    await tab.focus();
  } catch (error) {
    console.warn('aircall: the browser did not let the tab come to the front', error);
  }
}

/** Whether the tab took the message. */
function heard(tab, message) {
  return new Promise((settled) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => settled(true);
    setTimeout(() => settled(false), HEARD_MS);
    tab.postMessage(message, [port2]);
  });
}

/** No tab is left that could say it. Nothing is lost when this fails: the ring ends by itself. */
function reject(call, desk) {
  const body = JSON.stringify({ command: crypto.randomUUID() });
  return fetch(new URL(`/desk/calls/${encodeURIComponent(call)}/reject`, desk), { method: 'POST', credentials: 'include', body });
}
