// What bench/browser.py needs to know of a page, in the page's own clock (ms since the epoch, comparable on one machine).
window.__bench = {
  painted: [],
  clicked: [],
  ears: {},
  now: () => Date.now(),

  // The first frame that shows a new ringing card: a task after the animation frame runs when that frame is drawn.
  watch() {
    const seen = new WeakSet();
    const look = (root) => {
      for (const card of root.querySelectorAll('[role=alertdialog]')) {
        if (seen.has(card)) continue;
        seen.add(card);
        const drawn = new MessageChannel();
        drawn.port1.onmessage = () => this.painted.push(Date.now());
        requestAnimationFrame(() => drawn.port2.postMessage(0));
      }
    };
    const observe = (root) => {
      new MutationObserver(() => look(root)).observe(root, { childList: true, subtree: true });
      for (const element of root.querySelectorAll('*')) if (element.shadowRoot) observe(element.shadowRoot);
    };
    observe(document.body);
    addEventListener('click', () => this.clicked.push(Date.now()), true);
  },

  // Samples of a stream with the time of the first: the smallest difference between a chunk's arrival and its place.
  async listen(name, stream) {
    this.context ??= new AudioContext({ sampleRate: 16000, latencyHint: 'interactive' });
    if (!this.loaded) {
      const source = `registerProcessor("timed-ear", class extends AudioWorkletProcessor {
        process([input]) {
          if (input[0]) this.port.postMessage([currentFrame, input[0].slice()]);
          return true;
        }
      });`;
      this.loaded = this.context.audioWorklet.addModule(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
    }
    await this.loaded;
    const node = new AudioWorkletNode(this.context, 'timed-ear', { channelCount: 1, channelCountMode: 'explicit' });
    const ear = (this.ears[name] = { chunks: [], offset: Infinity, node });
    node.port.onmessage = ({ data: [frame, samples] }) => {
      const end = ((frame + samples.length) / 16000) * 1000;
      ear.offset = Math.min(ear.offset, Date.now() - end);
      ear.chunks.push([frame, samples]);
    };
    ear.source = this.context.createMediaStreamSource(stream);
    ear.source.connect(node).connect(this.context.destination);
    await this.context.resume();
  },

  take(name) {
    const ear = this.ears[name];
    ear.source.disconnect();
    ear.node.disconnect();
    delete this.ears[name];
    return ear.chunks.map(([frame, samples]) => [
      (ear.offset + (frame / 16000) * 1000) / 1000,
      Array.from(samples, (value) => Math.round(value * 32767)),
    ]);
  },
};
