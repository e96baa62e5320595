// What went wrong, in words that say what to do.

const KNOWN = { NotAllowedError: 'mic.denied', NotFoundError: 'mic.missing', NotReadableError: 'mic.busy', SecurityError: 'mic.insecure' };

export function explain(error, t) {
  if (KNOWN[error.name]) return t(KNOWN[error.name]);
  return error.message || t('error.failed');
}
