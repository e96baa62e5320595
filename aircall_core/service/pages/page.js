// Two conveniences; the pages work without them: show what is typed as the password, and send a form once.
for (const button of document.querySelectorAll('[data-reveal]')) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(shown));
    button.textContent = shown ? 'Hide' : 'Show';
    input.focus();
  });
}
for (const form of document.forms) {
  form.addEventListener('submit', (event) => {
    const send = form.querySelector('[type=submit]');
    if (send.getAttribute('aria-busy') === 'true') event.preventDefault();
    send.setAttribute('aria-busy', 'true');
    for (const input of form.querySelectorAll('[data-reveal]')) document.getElementById(input.dataset.reveal).type = 'password';
  });
}
// Coming back by the browser's history shows the form as it was left, busy button and all.
addEventListener('pageshow', () => {
  for (const send of document.querySelectorAll('[aria-busy]')) send.removeAttribute('aria-busy');
});
document.querySelector('[aria-invalid=true]')?.focus();
