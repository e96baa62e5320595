// While something on the page is not saved, the browser asks before the tab is closed or loaded anew.

import { mounter } from './dom.js';

function build() {
  const ask = (event) => event.preventDefault();
  addEventListener('beforeunload', ask);
  return { destroy: () => removeEventListener('beforeunload', ask) };
}

export const mount = mounter(build);
