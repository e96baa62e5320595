// How many SMS a text makes: GSM 03.38 (3GPP TS 23.038) where its alphabet has every character, else UCS-2 (UTF-16).
// The same as domain/segments.py; both are held against tests/support/segments.json. Pure.

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const EXTENDED = new Set('\f^{}\\[~]|€'); // each takes two places: an escape stands before it
const ROOM = { gsm7: [160, 153], ucs2: [70, 67] }; // of one SMS alone, and of each of several: a header says which it is

/** Where two look alike, the one of the SMS alphabet: what word processors make of what was typed. */
const PLAIN = new Map(
  Object.entries({ '’': "'", '‘': "'", '‚': ',', '“': '"', '”': '"', '„': '"', '«': '"', '»': '"', '–': '-', '—': '-', '…': '...', '•': '-', '\u00a0': ' ', '\u202f': ' ', '\t': ' ', '`': "'" }),
);

const cost = (character, encoding) => (encoding === 'ucs2' ? character.length : EXTENDED.has(character) ? 2 : 1);

/** Characters that the SMS alphabet lacks, each once, as they come: one of them makes the whole text UCS-2. */
export function outside(text) {
  return [...new Set(text)].filter((character) => !BASIC.has(character) && !EXTENDED.has(character));
}

/**
 * {encoding: 'gsm7' | 'ucs2', units, segments, left}. `units`: places that the text takes; `left`: free ones in its last
 * SMS. Neither an escaped character nor a surrogate pair is cut in two, so a full SMS may keep one place empty.
 */
export function count(text) {
  const encoding = outside(text).length ? 'ucs2' : 'gsm7';
  const [alone, each] = ROOM[encoding];
  const costs = [...text].map((character) => cost(character, encoding));
  const units = costs.reduce((sum, one) => sum + one, 0);
  if (units <= alone) return { encoding, units, segments: units ? 1 : 0, left: alone - units };
  let segments = 1;
  let used = 0;
  for (const one of costs) {
    if (used + one > each) {
      segments += 1;
      used = 0;
    }
    used += one;
  }
  return { encoding, units, segments, left: each - used };
}

/** The text with look-alikes of the SMS alphabet; itself where nothing can be done, since a half measure saves nothing. */
export function plainer(text) {
  const made = [...text.normalize('NFC')].map((character) => (BASIC.has(character) || EXTENDED.has(character) ? character : (PLAIN.get(character) ?? character))).join('');
  return outside(made).length ? text : made;
}
