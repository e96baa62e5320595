// The emoji of texts with customers: a short list of our own (the whole of Unicode's is 130 kB, and most of it no agent
// ever sends), in Unicode's names with a few words more to search by. Nothing here that old phones draw as a box.

export const EMOJI = [
  ['smileys', [
    ['😀', 'grinning face'], ['😃', 'smiling face with open mouth'],
    ['😄', 'smiling face with open mouth and smiling eyes'], ['😁', 'grinning face with smiling eyes'],
    ['😆', 'smiling face with open mouth and tightly closed eyes'],
    ['😅', 'smiling face with open mouth and cold sweat'], ['😂', 'tears of joy laugh'], ['🙂', 'slightly smiling face'],
    ['😉', 'winking face'], ['😊', 'smiling face'], ['😇', 'smiling face with halo'],
    ['😍', 'smiling face with heart shaped eyes'], ['😘', 'face throwing a kiss'],
    ['😋', 'face savouring delicious food'], ['😜', 'face with stuck out tongue and winking eye'],
    ['🤔', 'thinking face'], ['🤗', 'hugging face'], ['🙄', 'face with rolling eyes'], ['😐', 'neutral face'],
    ['😕', 'confused face'], ['😟', 'worried face'], ['😢', 'crying face sad'], ['😭', 'loudly crying face'],
    ['😤', 'face with look of triumph'], ['😡', 'pouting face angry'], ['😱', 'face screaming in fear'],
    ['😴', 'sleeping face'], ['🤒', 'face with thermometer'], ['🤕', 'face with head bandage'],
    ['😷', 'face with medical mask'], ['😎', 'smiling face with sunglasses'], ['🤓', 'nerd face'], ['🤷', 'shrug'],
    ['🤦', 'face palm'],
  ]],
  ['people', [
    ['👍', 'thumbs up yes good'], ['👎', 'thumbs down no bad'], ['👌', 'ok hand'], ['🙏', 'folded hands thanks please'],
    ['👏', 'clapping hands sign'], ['🙌', 'person raising both hands in celebration'], ['🤝', 'handshake deal'],
    ['💪', 'flexed biceps strong'], ['👋', 'waving hand hello bye'], ['✋', 'raised hand'], ['✌️', 'victory hand'],
    ['🤞', 'hand with index and middle fingers crossed'], ['👉', 'white right pointing backhand index'],
    ['👈', 'white left pointing backhand index'], ['👆', 'white up pointing backhand index'],
    ['👇', 'white down pointing backhand index'], ['✍️', 'writing hand'], ['👀', 'eyes'], ['🧑', 'adult'],
    ['👩', 'woman'], ['👨', 'man'], ['👶', 'baby'], ['🧑‍💼', 'office worker'], ['🧑‍🔧', 'mechanic'], ['🧑‍🍳', 'cook'],
    ['🧑‍⚕️', 'health worker'], ['🚶', 'pedestrian'], ['🏃', 'runner'],
  ]],
  ['hearts', [
    ['❤️', 'red heart love'], ['🧡', 'orange heart'], ['💛', 'yellow heart'], ['💚', 'green heart'], ['💙', 'blue heart'],
    ['💜', 'purple heart'], ['🖤', 'black heart'], ['💔', 'broken heart'], ['💯', 'hundred points'], ['✨', 'sparkles'],
    ['⭐', 'white medium star'], ['🌟', 'glowing star'], ['🔥', 'fire'], ['🎉', 'party popper congratulations'],
    ['🎊', 'confetti ball'], ['🎁', 'wrapped present'], ['🎂', 'birthday cake'], ['🏆', 'trophy'],
    ['🥇', 'first place medal'],
  ]],
  ['work', [
    ['📞', 'telephone receiver call'], ['📱', 'mobile phone'], ['☎️', 'telephone'], ['💬', 'speech balloon'],
    ['✉️', 'envelope'], ['📧', 'e mail'], ['📩', 'envelope with downwards arrow above'], ['📎', 'paperclip'],
    ['📄', 'page facing up'], ['📋', 'clipboard'], ['📝', 'memo'], ['📅', 'calendar date'], ['⏰', 'alarm clock'],
    ['⏳', 'hourglass with flowing sand'], ['🔔', 'bell'], ['🔕', 'bell with cancellation stroke'], ['📌', 'pushpin'],
    ['📍', 'round pushpin'], ['🔑', 'key'], ['🔒', 'lock'], ['🔓', 'open lock'], ['💡', 'electric light bulb'],
    ['🔧', 'wrench'], ['🔨', 'hammer'], ['🧰', 'toolbox'], ['⚙️', 'gear'], ['🖥️', 'desktop computer'],
    ['💻', 'personal computer'], ['🖨️', 'printer'], ['💾', 'floppy disk'], ['🔋', 'battery'], ['🔌', 'electric plug'],
  ]],
  ['trade', [
    ['🛒', 'shopping trolley'], ['🛍️', 'shopping bags'], ['💳', 'credit card pay'], ['💶', 'euro banknote money'],
    ['💵', 'dollar banknote money'], ['💷', 'pound banknote money'], ['🧾', 'receipt'], ['📦', 'package parcel'],
    ['🚚', 'delivery truck'], ['🚛', 'articulated lorry'], ['🏠', 'house building'], ['🏢', 'office building'],
    ['🏪', 'convenience store'], ['🏦', 'bank'], ['🏥', 'hospital'], ['🏨', 'hotel'], ['🚗', 'automobile'], ['🚕', 'taxi'],
    ['🚌', 'bus'], ['🚆', 'train'], ['✈️', 'airplane'], ['🚲', 'bicycle'], ['⛽', 'fuel pump'], ['🅿️', 'parking'],
    ['🚧', 'construction sign'],
  ]],
  ['days', [
    ['☕', 'coffee hot beverage'], ['🍵', 'teacup without handle'], ['🍺', 'beer mug'], ['🍷', 'wine glass'],
    ['🍽️', 'fork and knife with plate'], ['🍕', 'slice of pizza'], ['🍔', 'hamburger'], ['🥗', 'green salad'],
    ['🍰', 'shortcake'], ['🍎', 'red apple'], ['🍞', 'bread'], ['☀️', 'sun sunny'], ['⛅', 'sun behind cloud'],
    ['☁️', 'cloud'], ['🌧️', 'cloud with rain'], ['❄️', 'snowflake'], ['🌈', 'rainbow'], ['🌙', 'crescent moon'],
    ['🌍', 'earth globe europe africa'], ['🌱', 'seedling'], ['🌸', 'cherry blossom'], ['🐶', 'dog face'],
    ['🐱', 'cat face'],
  ]],
  ['signs', [
    ['✅', 'check mark done yes'], ['☑️', 'ballot box with check'], ['❌', 'cross mark no'], ['⚠️', 'warning sign'],
    ['❗', 'heavy exclamation mark'], ['❓', 'black question mark ornament'], ['ℹ️', 'information'],
    ['➡️', 'black rightwards arrow'], ['⬅️', 'leftwards black arrow'], ['⬆️', 'upwards black arrow'],
    ['⬇️', 'downwards black arrow'], ['↩️', 'leftwards arrow with hook'],
    ['🔄', 'anticlockwise downwards and upwards open circle arrows'],
    ['🔁', 'clockwise rightwards and leftwards open circle arrows'], ['🆕', 'squared new'], ['🆗', 'squared ok'],
    ['🔴', 'red circle'], ['🟠', 'large orange circle'], ['🟡', 'large yellow circle'], ['🟢', 'large green circle'],
    ['🔵', 'large blue circle'], ['⚪', 'medium white circle'], ['⚫', 'medium black circle'],
  ]],
];

/** Those whose names hold every word that was typed; all without a word. */
export function find(typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  return EMOJI.flatMap(([, list]) => list).filter(([, name]) => words.every((word) => name.includes(word)));
}
