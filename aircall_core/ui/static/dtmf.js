// The keys of a telephone: which there are, which may be written for them, and how they sound (ITU-T Q.23). What is heard is
// only for the one who presses; what the far end gets is made by the switch (RFC 4733).

export const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
export const LETTERS = { 2: 'ABC', 3: 'DEF', 4: 'GHI', 5: 'JKL', 6: 'MNO', 7: 'PQRS', 8: 'TUV', 9: 'WXYZ' };
export const MOST = 32; // keys in one command

const LOW = [697, 770, 852, 941];
const HIGH = [1209, 1336, 1477, 1633];
const PLACES = '123A456B789C*0#D';
const TONE_S = 0.12;
const LEVEL = 0.08;

/** What is sent of a text that was typed or pasted: keys, and commas for pauses of a second. Letters are words, not keys. */
export function keysOf(text) {
  return text.replace(/[^0-9*#,]/g, '');
}

/** The two frequencies of a key (Hz); null for a pause. */
export function frequencies(key) {
  const place = PLACES.indexOf(key);
  return place < 0 ? null : [LOW[Math.floor(place / 4)], HIGH[place % 4]];
}

/** Let a key be heard here. `context`: an AudioContext that may sound, or null. */
export function play(context, key) {
  const pair = frequencies(key);
  if (!pair || context?.state !== 'running') return;
  const gain = context.createGain();
  const [from, to] = [context.currentTime, context.currentTime + TONE_S];
  gain.gain.setValueAtTime(0, from);
  gain.gain.linearRampToValueAtTime(LEVEL, from + 0.005); // soft edges: no clicks in the ear
  gain.gain.setValueAtTime(LEVEL, to - 0.01);
  gain.gain.linearRampToValueAtTime(0, to);
  gain.connect(context.destination);
  for (const hz of pair) {
    const tone = context.createOscillator();
    tone.frequency.value = hz;
    tone.connect(gain);
    tone.start(from);
    tone.stop(to);
    tone.onended = () => gain.disconnect();
  }
}
