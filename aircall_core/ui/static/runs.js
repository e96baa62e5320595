// Streamlit's runs as the page shows them, for views that want one by themselves.

const UNDER_WAY = new Set(['rerunRequested', 'running']); // of stApp's data-test-script-state
const LOOK_MS = 100;
const DEED_MS = 2_000; // from a click until the run that it asked for shows
const WAY_MS = 30_000; // from a link's click until its page has come, or never will

const REPORT_MS = 100; // from a frame's report until Streamlit has passed it on

let clicked = -WAY_MS;
let wanted = ''; // the path of the page that the last click leads to
let followed = null; // its link
let reported = -WAY_MS;
globalThis.addEventListener?.(
  'click',
  (event) => {
    const link = event.composedPath().find((one) => one.href && one.origin === location.origin && !one.target);
    const leads = link && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const wait = reported + REPORT_MS - performance.now();
    if (leads && wait > 0) {
      event.preventDefault(); // the report would overtake it
      event.stopImmediatePropagation();
      setTimeout(() => link.click(), wait);
      return;
    }
    clicked = performance.now();
    followed = leads ? link : null;
    wanted = leads ? link.pathname : '';
  },
  true,
);

/** Whether the user has followed a link to a page that is not there yet. */
function onTheWay() {
  return Boolean(wanted) && wanted !== location.pathname && performance.now() - clicked < WAY_MS;
}

/** Whether a run is going on, or the user has just asked for one. */
function underWay() {
  if (performance.now() - clicked < DEED_MS || onTheWay()) return true;
  return running();
}

function running() {
  return UNDER_WAY.has(document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState);
}

/**
 * Do it once no run is asked for or going on; the returned function calls it off.
 *
 * A rerun that a view asks for while the user is on the way to another page crosses it: Streamlit takes it for the page
 * that is being left, so the way is undone, or (a fragment's) the new page is swept away and nothing shows. A view that
 * goes with its page calls off what it still wanted.
 */
export function betweenRuns(deed) {
  if (!underWay()) {
    deed();
    return () => {};
  }
  const timer = setInterval(() => {
    if (underWay()) return;
    clearInterval(timer);
    deed();
  }, LOOK_MS);
  return () => clearInterval(timer);
}

/**
 * Streamlit's older components, such as the audio check's, live in frames and report by messages, the first as soon as they
 * have loaded; Streamlit hears of them before anybody here does. A report on the way to another page leads back to the one
 * being left, so the link is followed once more. A link that is followed while Streamlit holds a report (for a frame's time)
 * waits for that.
 */
globalThis.addEventListener?.('message', ({ data }) => {
  if (data?.type !== 'streamlit:setComponentValue') return;
  reported = performance.now();
  if (!onTheWay()) return;
  const [link, since] = [followed, clicked];
  const timer = setInterval(() => {
    if (clicked === since && (performance.now() - since < DEED_MS || running())) return;
    clearInterval(timer);
    if (clicked === since && link.isConnected && wanted !== location.pathname) link.click();
  }, LOOK_MS);
});
globalThis.addEventListener?.('popstate', () => {
  clicked = performance.now(); // the user goes elsewhere
  wanted = '';
});
