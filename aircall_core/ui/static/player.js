// A recording in its bubble: play, seek, speed, download. The file is fetched when it is first played.

import { clock, h, icon, setIcon } from './dom.js';

let playing = null; // one voice at a time

export function player({ url, durationMs, fileName, t, title = t('player.title') }) {
  const audio = new Audio();
  audio.preload = 'none';
  audio.crossOrigin = 'use-credentials';
  audio.src = url;
  const total = () => (Number.isFinite(audio.duration) ? audio.duration * 1000 : durationMs) || 0;
  const time = h('span', { class: 'num time' });
  const seek = h('input', { type: 'range', min: '0', max: '1000', value: '0', 'aria-label': t('player.position') });
  const play = h('button', { class: 'plain', type: 'button', 'aria-label': t('player.play'), 'data-icon': 'play' }, icon('play'));
  const speed = h('button', { class: 'plain speed num', type: 'button', 'aria-label': t('player.speed', { speed: '1' }), text: '1×' });
  const save = h('button', { class: 'plain', type: 'button', 'aria-label': t('player.download'), title: t('player.download') }, icon('download'));
  const error = h('p', { class: 'error', role: 'status', hidden: true });

  function draw() {
    const at = audio.currentTime * 1000;
    time.textContent = `${clock(at)} / ${clock(total())}`;
    if (!seek.matches(':active')) seek.value = String(total() ? Math.round((at / total()) * 1000) : 0);
    seek.setAttribute('aria-valuetext', time.textContent);
    const on = !audio.paused;
    setIcon(play, on ? 'pause' : 'play');
    play.setAttribute('aria-label', t(on ? 'player.pause' : 'player.play'));
  }
  play.addEventListener('click', async () => {
    if (!audio.paused) return audio.pause();
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    error.hidden = true;
    try {
      await audio.play();
    } catch (problem) {
      if (problem.name === 'AbortError') return; // paused again before it began
      fail();
      audio.load();
    }
  });
  seek.addEventListener('input', () => {
    if (total()) audio.currentTime = (Number(seek.value) / 1000) * (total() / 1000);
  });
  speed.addEventListener('click', () => {
    const rates = [1, 1.25, 1.5, 2];
    audio.playbackRate = rates[(rates.indexOf(audio.playbackRate) + 1) % rates.length];
    speed.textContent = `${audio.playbackRate}×`;
    speed.setAttribute('aria-label', t('player.speed', { speed: String(audio.playbackRate) }));
  });
  // The desk is another origin, where a link's `download` is ignored and the page, with its call, would be left.
  save.addEventListener('click', async () => {
    try {
      const answer = await fetch(url, { credentials: 'include' });
      if (!answer.ok) throw new Error(String(answer.status));
      const href = URL.createObjectURL(await answer.blob());
      h('a', { href, download: fileName }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60000);
    } catch (problem) {
      console.warn('aircall: a recording could not be fetched', problem);
      fail();
    }
  });
  function fail() {
    error.textContent = t('player.failed');
    error.hidden = false;
  }
  for (const name of ['timeupdate', 'play', 'pause', 'ended', 'durationchange', 'seeked']) audio.addEventListener(name, draw);
  draw();
  const node = h('div', { class: 'player', role: 'group', 'aria-label': title }, play, seek, time, speed, save, error);
  return { node, stop: () => (audio.pause(), audio.removeAttribute('src')) };
}
