// How loud the microphone and the caller are, for a meter on the page.

/** Looks at streams as they are now; follows when another one takes a stream's place. */
export class Meter {
  constructor(context) {
    Object.assign(this, { context, inputs: {}, samples: new Float32Array(1024) });
  }

  peak(name, stream) {
    if (this.inputs[name]?.stream !== stream) this.#follow(name, stream);
    const analyser = this.inputs[name]?.analyser; // none before there was ever a stream
    if (!analyser) return 0;
    if (this.context.state === 'suspended') this.context.resume();
    analyser.getFloatTimeDomainData(this.samples);
    return this.samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  }

  #follow(name, stream) {
    this.inputs[name]?.source?.disconnect();
    this.inputs[name] = { stream };
    if (!stream) return;
    const source = this.context.createMediaStreamSource(stream);
    const analyser = this.context.createAnalyser();
    analyser.fftSize = this.samples.length;
    source.connect(analyser);
    Object.assign(this.inputs[name], { source, analyser });
  }
}
