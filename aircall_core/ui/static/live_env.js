// What the page gives to live.js; tests give their own.

/** Timers from a worker: a page in the background gets its own timers once a minute, too seldom for a lease of 15 s. */
function steadyEvery(ms, call) {
  try {
    const source = URL.createObjectURL(new Blob([`setInterval(() => postMessage(0), ${ms})`], { type: 'text/javascript' }));
    const worker = new Worker(source);
    worker.onmessage = call;
    worker.onerror = () => setInterval(call, ms);
    return worker;
  } catch {
    return setInterval(call, ms);
  }
}

/** Timers, storage, locks and the network of this browser. */
export function browserEnv() {
  return {
    WebSocket,
    fetch: (...a) => fetch(...a),
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, call) => setTimeout(call, ms),
    cancel: (timer) => clearTimeout(timer),
    every: steadyEvery,
    localStorage,
    sessionStorage,
    locks: navigator.locks,
    visible: () => document.visibilityState === 'visible' && document.hasFocus(),
    onOffline: (call) => addEventListener('offline', call),
    onWake(call) {
      addEventListener('online', call);
      addEventListener('focus', call);
      addEventListener('blur', call);
      addEventListener('pageshow', call);
      document.addEventListener('visibilitychange', call);
    },
  };
}
