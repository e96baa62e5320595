// A page's part that is drawn anew again and again, as st.fragment(run_every=…) does, but never across the user's way to
// another page (runs.js): Streamlit would sweep that page away. A beat waits for the run of the one before.

import { mounter } from './dom.js';

export const mount = mounter((_host, { data, rerun }) => {
  const timer = setInterval(() => rerun('beat', Date.now()), data.every_ms);
  return { destroy: () => clearInterval(timer) };
});
