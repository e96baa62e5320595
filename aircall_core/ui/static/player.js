// A recording in its bubble: play, seek in its waveform, speed, download. The file is fetched when it is first played, the
// waveform when it is first seen.

import { clock, h, icon, setIcon } from './dom.js';

const RATES = [1, 1.25, 1.5, 1.75, 2, 0.75];
const STEP_S = 5; // of the arrow keys
const BARS = 100;
const SVG = 'http://www.w3.org/2000/svg';
let playing = null; // one voice at a time

/** `peaks()`: the loudness over time, 0..255 each, or null where there is none. */
export function player({ url, durationMs, fileName, t, title = t('player.title'), peaks = null }) {
  const audio = new Audio();
  audio.preload = 'none';
  audio.crossOrigin = 'use-credentials';
  audio.src = url;
  const total = () => (Number.isFinite(audio.duration) ? audio.duration * 1000 : durationMs) || 0;
  const time = h('span', { class: 'num time' });
  const seek = h('input', { type: 'range', min: '0', max: '1000', value: '0', 'aria-label': t('player.position') });
  const wave = h('div', { class: 'wave' }, seek);
  const play = h('button', { class: 'plain', type: 'button', 'aria-label': t('player.play'), 'data-icon': 'play' }, icon('play'));
  const speed = h('button', { class: 'plain speed num', type: 'button', 'aria-label': t('player.speed', { speed: '1' }), text: '1×' });
  const save = h('button', { class: 'plain', type: 'button', 'aria-label': t('player.download'), title: t('player.download') }, icon('download'));
  const error = h('p', { class: 'error', role: 'status', hidden: true });
  let rate = 1;

  function draw() {
    const at = audio.currentTime * 1000;
    time.textContent = `${clock(at)} / ${clock(total())}`;
    const share = total() ? Math.min(1, at / total()) : 0;
    if (!seek.matches(':active')) seek.value = String(Math.round(share * 1000));
    wave.style.setProperty('--played', `${share * 100}%`);
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
      audio.playbackRate = rate; // a file that is loaded begins at 1
      await audio.play();
    } catch (problem) {
      if (problem.name === 'AbortError') return; // paused again before it began
      fail();
      audio.load();
    }
  });
  seek.addEventListener('input', () => {
    if (total()) audio.currentTime = (Number(seek.value) / 1000) * (total() / 1000);
    draw();
  });
  seek.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -STEP_S, ArrowDown: -STEP_S, ArrowRight: STEP_S, ArrowUp: STEP_S }[event.key];
    event.stopPropagation();
    if (!step) return;
    event.preventDefault();
    audio.currentTime = Math.max(0, Math.min(total() / 1000, audio.currentTime + step));
    draw();
  });
  speed.addEventListener('click', () => {
    rate = RATES[(RATES.indexOf(rate) + 1) % RATES.length];
    audio.playbackRate = rate;
    speed.textContent = `${rate}×`;
    speed.setAttribute('aria-label', t('player.speed', { speed: String(rate) }));
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
  const node = h('div', { class: 'player', role: 'group', 'aria-label': title }, play, wave, time, speed, save, error);

  async function drawWave() {
    try {
      const found = await peaks();
      if (found?.length) wave.prepend(picture(found));
      wave.toggleAttribute('data-drawn', Boolean(found?.length));
    } catch (problem) {
      console.warn('aircall: a waveform could not be read', problem.code); // it can be played all the same
    }
  }
  const seen = peaks && new IntersectionObserver((entries) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    drawWave();
  });
  seen?.observe(node);
  return { node, get playing() { return !audio.paused; }, stop: () => (seen?.disconnect(), audio.pause(), audio.removeAttribute('src')) };
}

/** The waveform twice: as a whole, and over it what has been played. */
function picture(peaks) {
  const each = peaks.length / Math.min(BARS, peaks.length);
  const bars = [];
  for (let i = 0; i * each < peaks.length; i += 1) {
    const loud = Math.max(...peaks.slice(Math.floor(i * each), Math.max(Math.floor(i * each) + 1, Math.floor((i + 1) * each))));
    const half = Math.max(2, (loud / 255) * 48);
    bars.push(`M${i + 0.5} ${50 - half}V${50 + half}`);
  }
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${bars.length} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const name of ['all', 'played']) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', bars.join(''));
    path.setAttribute('class', name);
    svg.append(path);
  }
  return svg;
}
