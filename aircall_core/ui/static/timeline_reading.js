// Telling the desk that a conversation was read: what is looked at is; in a hidden tab, once somebody looks.

const SOON_MS = 600;

export function timelineReading(live, conversation) {
  let timer = null;
  let owed = false; // something is here that was not marked as read

  function read() {
    owed = true;
    if (document.visibilityState === 'visible') timer ??= setTimeout(mark, SOON_MS);
  }

  async function mark() {
    timer = null;
    if (document.visibilityState !== 'visible') return;
    owed = false;
    try {
      await live.request(`/desk/conversations/${conversation}/read`, {});
    } catch (error) {
      owed = true;
      console.warn('aircall: could not mark the conversation as read', error.code); // the next look does it
    }
  }

  const again = () => owed && read();
  document.addEventListener('visibilitychange', again);

  return {
    read,
    /** What could not be told before, or was not yet looked at. */
    again,
    stop() {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    },
  };
}
