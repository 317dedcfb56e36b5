// Two networks that read characters, as class numbers [B, T], and guess after each one the next: logits [B T, vocabulary].
import { layers } from "../../dist/index.js";

const { Embedding, LayerNorm, Linear, LSTM, Module, TransformerEncoderLayer } = layers;

/** One row for each character. */
function rows(h) {
  return h.reshape([-1, h.shape[2]]);
}

export class CharacterLstm extends Module {
  constructor(vocabulary, size) {
    super();
    this.embedding = new Embedding(vocabulary, size / 2);
    this.lstm = new LSTM(size / 2, size, { batchFirst: true });
    this.head = new Linear(size, vocabulary);
  }

  forward(x) {
    const [h] = this.lstm.forward(this.embedding.forward(x));
    return this.head.forward(rows(h));
  }
}

/** Two layers that see what is before, up to `length` characters. */
export class CharacterTransformer extends Module {
  constructor(vocabulary, size, length) {
    super();
    this.embedding = new Embedding(vocabulary, size);
    this.position = new Embedding(length, size);
    const layer = () => new TransformerEncoderLayer(size, 4, { dimFeedforward: 4 * size, dropout: 0, activation: "gelu", batchFirst: true, normFirst: true });
    this.blocks = [layer(), layer()];
    this.norm = new LayerNorm(size);
    this.head = new Linear(size, vocabulary);
  }

  forward(x) {
    let h = this.embedding.forward(x).add(this.position.weight.slice([0, x.shape[1]]));
    for (const block of this.blocks) h = block.forward(h, { isCausal: true });
    return this.head.forward(rows(this.norm.forward(h)));
  }
}
