// Times and durations as people say them, in the page's language.

const STEPS = [['year', 31_557_600_000], ['month', 2_629_800_000], ['week', 604_800_000], ['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000]];

/** "3 days ago"; "now" within the last minute. */
export function ago(at, now, locale) {
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const past = Math.max(0, now - at);
  for (const [unit, ms] of STEPS) if (past >= ms) return words.format(-Math.floor(past / ms), unit);
  return words.format(0, 'second');
}

/** "3 hr 12 min", "4 min", "25 sec". */
export function lasting(ms, locale) {
  const seconds = Math.round(ms / 1000);
  const part = (value, unit) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'short' }).format(value);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours) return [part(hours, 'hour'), minutes && hours < 100 ? part(minutes, 'minute') : ''].filter(Boolean).join(' ');
  return minutes ? part(minutes, 'minute') : part(seconds, 'second');
}
