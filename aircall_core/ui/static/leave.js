// Before a tab that carries a call's audio is closed or loaded anew the browser asks; in no other tab, and at no other
// time, since pages that listen for it are not kept for "back".

/** Follow the phone and the view; `page` is the window. */
export function askBeforeLeaving(live, page = globalThis) {
  const ask = (event) => event.preventDefault();
  let asking = false;
  const look = () => {
    const { calls, user } = live.view;
    const carries = Object.values(calls).some((call) => call.by === user && live.phone.peerOf(call.id) !== null);
    if (carries === asking) return;
    asking = carries;
    if (asking) page.addEventListener('beforeunload', ask);
    else page.removeEventListener('beforeunload', ask);
  };
  live.addEventListener('view', look);
  live.phone.addEventListener('state', look);
  look();
}
