// What this very browser can reach: each line is tried here and now, and says what to do when it fails.

import { h, icon, listeners, mounter } from './dom.js';
import { shared } from './shared.js';

const WAIT_MS = 6000;

const within = (promise, ms = WAIT_MS) =>
  Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error('timeout')), ms))]);

/** Candidate kinds that ICE gathers with the installation's servers: host, srflx (STUN), relay (TURN). */
async function candidates(iceServers) {
  const pc = new RTCPeerConnection({ iceServers });
  const kinds = new Set();
  try {
    pc.createDataChannel('probe');
    const done = new Promise((resolve) => {
      pc.onicecandidate = (e) => {
        if (!e.candidate) resolve();
        else if (e.candidate.type) kinds.add(e.candidate.type);
      };
    });
    await pc.setLocalDescription(await pc.createOffer());
    await within(done).catch(() => {}); // slow servers: what was found until now counts
  } finally {
    pc.close();
  }
  return kinds;
}

function build(host, { data }) {
  const live = shared(data);
  const t = (key, values) => live.t(key, values);
  const subs = listeners();
  const list = h('ol', { class: 'tests' });
  const again = h('button', { type: 'button', onclick: run }, t('reach.again'));
  host.append(list, again);

  const tests = {
    secure: async () => [isSecureContext, isSecureContext ? location.origin : t('reach.secure.bad')],
    desk: async () => {
      const answer = await within(fetch(new URL('/healthz', live.deskUrl).href, { cache: 'no-store' }));
      return [answer.ok, answer.ok ? live.deskUrl : t('reach.desk.bad', { url: live.deskUrl })];
    },
    realtime: async () => {
      if (live.status !== 'online') {
        await within(new Promise((done) => live.addEventListener('status', () => live.status === 'online' && done())));
      }
      return [true, ''];
    },
    microphone: async () => {
      if (!navigator.mediaDevices) return [false, t('mic.insecure')];
      const inputs = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === 'audioinput');
      return [inputs.length > 0, inputs.length ? t('reach.microphone.found', { count: inputs.length }) : t('mic.missing')];
    },
    ice: async () => {
      const config = await live.request('/rtc/config');
      const servers = config.ice_servers ?? [];
      const kinds = await candidates(servers);
      const wanted = servers.flatMap((one) => one.urls).some((url) => url.startsWith('turn')) ? 'relay' : servers.length ? 'srflx' : 'host';
      const names = [...kinds].map((kind) => t(`reach.ice.${kind}`)).join(', ');
      return [kinds.has(wanted), kinds.has(wanted) ? names : t('reach.ice.bad', { wanted: t(`reach.ice.${wanted}`), found: names || '–' })];
    },
    ready: async () => {
      const answer = await within(fetch(new URL('/readyz', live.deskUrl).href, { cache: 'no-store' }));
      const body = await answer.json().catch(() => ({}));
      const reasons = (body.reasons ?? body.error?.reasons ?? []).map((one) => (typeof one === 'string' ? one : one.message)).join(' ');
      return [answer.ok, answer.ok ? '' : reasons || t('reach.ready.bad')];
    },
  };

  async function run() {
    again.disabled = true;
    const lines = Object.keys(tests).map((name) => {
      const mark = h('span', { class: 'mark' }, icon('play'));
      const detail = h('p', { class: 'soft', text: t('reach.trying') });
      const node = h('li', { 'data-state': 'trying' }, mark, h('div', {}, h('p', { class: 'name', text: t(`reach.${name}`) }), detail));
      return { name, node, mark, detail };
    });
    list.replaceChildren(...lines.map((one) => one.node));
    await Promise.all(
      lines.map(async ({ name, node, mark, detail }) => {
        let good = false;
        let text;
        try {
          [good, text] = await tests[name]();
        } catch (error) {
          text = t(`reach.${name}.bad`, { url: live.deskUrl, wanted: '', found: error.message });
        }
        node.dataset.state = good ? 'good' : 'bad';
        mark.replaceChildren(icon(good ? 'check' : 'warn'));
        detail.textContent = `${t(good ? 'reach.works' : 'reach.fails')}${text ? ` · ${text}` : ''}`;
      }),
    );
    again.disabled = false;
  }
  run();
  return { destroy: () => subs.stop() };
}

export const mount = mounter(build, 'reach.css');
