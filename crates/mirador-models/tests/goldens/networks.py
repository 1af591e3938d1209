"""The networks once more, in PyTorch and from the papers: one row at a time, in double precision, with libtorch's own
layers. `make.py` writes what they answer; the crate's tests hold the Rust networks to it."""

import math

import torch
import torch.nn.functional as F


def fill(name, shape):
    """Made-up weights that any language makes alike: 32-bit integers, hashed, spread over a range that suits the layer.
    `tests/integration/goldens.rs` has the same."""
    size = math.prod(shape)
    x = (sum(byte * 31 ** (place % 5) for place, byte in enumerate(name.encode())) & 0xFFFFFFFF) + torch.arange(
        size, dtype=torch.int64
    ) * 0x9E3779B9
    x &= 0xFFFFFFFF
    for factor, shift in ((0x85EBCA6B, 16), (0xC2B2AE35, 13)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    x ^= x >> 16
    spread = x.double() / 2**31 - 1
    if name.endswith(("running_var", "_sd", "calibration")):
        values = 1 + spread / 2
    elif name == "alignment.pairs":
        # Complementary letters attract, or no duplex would stand out: A:U, C:G, G:C, G:U, U:A, U:G.
        pairs = torch.isin(torch.arange(size) % 25, torch.tensor([3, 7, 11, 13, 15, 17]))
        values = 2 * spread + torch.where(pairs, 1, -1)
    elif name == "alignment.moves":
        # Gaps cost, or the sum over alignments leaves what a float holds.
        values = spread - 2
    elif name.endswith(".scale"):
        # Two promoters differ by a hundred words and more, and are to be alike in part.
        values = 0.05 + spread / 50
    elif len(shape) > 1:
        values = spread * math.sqrt(6 * shape[0] / size)
    elif name.endswith(".weight"):
        values = 1 + spread / 5
    else:
        values = spread / 5
    # As the network holds them.
    return values.float().double().view(*shape)


class Weights:
    """Variables under a path."""

    def __init__(self, path=""):
        self.path = path

    def __truediv__(self, name):
        return Weights(f"{self.path}{name}.")

    def __call__(self, name, *shape):
        return fill(self.path + name, shape)


def one_hot(letters, rows, alphabet, unknown):
    table = {letter: [float(letter == other) for other in alphabet] for letter in alphabet}
    letters = letters.ljust(rows, "N")[:rows]
    return torch.tensor([table.get(letter, [unknown] * 4) for letter in letters], dtype=torch.double)


def dense(w, x, outputs):
    return F.linear(x, w("weight", outputs, x.shape[-1]), w("bias", outputs))


def batch_norm(w, x, eps):
    size = x.shape[1]
    return F.batch_norm(
        x, w("running_mean", size), w("running_var", size), w("weight", size), w("bias", size), eps=eps
    )


def layer_norm(w, x, eps=1e-5):
    size = x.shape[-1]
    return F.layer_norm(x, [size], w("weight", size), w("bias", size), eps)


def conv1d(w, x, filters, width, padding=0):
    return F.conv1d(x, w("weight", filters, x.shape[1], width), w("bias", filters), padding=padding)


def recurrent(w, x, units, layer=torch.nn.LSTM, both=False):
    """(1, t, inputs) to (1, t, units): libtorch's own layer under its own names."""
    layer = layer(x.shape[2], units, batch_first=True, bidirectional=both).double()
    state = {name: w(name, *tensor.shape) for name, tensor in layer.state_dict().items()}
    layer.load_state_dict(state)
    with torch.no_grad():
        return layer(x)[0]


def dmiso(mirna, site):
    """Talukder 2022, Fig. 1B."""
    w = Weights()

    def branch(name, letters, rows):
        start = max(len(letters) - rows, 0) // 2
        x = one_hot(letters[start : start + rows], rows, "AUCG", 0.25).T.unsqueeze(0)
        return F.max_pool1d(conv1d(w / name, x, 10, 8).relu(), 4, 1)

    x = torch.cat([branch("conv_mirna", mirna, 30), branch("conv_site", site, 60)], 2)
    x = batch_norm(w / "norm_merged", x, 1e-3)
    x = recurrent(w / "lstm", x.transpose(1, 2), 10, both=True)
    x = batch_norm(w / "norm_lstm", x.transpose(1, 2), 1e-3).transpose(1, 2).flatten(1)
    x = batch_norm(w / "norm_dense", dense(w / "dense", x, 100), 1e-3).relu()
    return batch_norm(w / "norm_output", dense(w / "output", x, 1), 1e-3)


def keras_lstm(w, steps, units):
    """Keras' LSTM with ReLU for tanh and its hard sigmoid; the last state."""
    kernel, recurrent_kernel = w("weight_ih", 4 * units, steps[0].shape[0]), w("weight_hh", 4 * units, units)
    bias = w("bias", 4 * units)
    h = c = torch.zeros(units, dtype=torch.double)
    hard = lambda x: (0.2 * x + 0.5).clamp(0, 1)
    for x in steps:
        i, f, g, o = (kernel @ x + recurrent_kernel @ h + bias).chunk(4)
        c = hard(f) * c + hard(i) * g.relu()
        h = hard(o) * c.relu()
    return h


def mitar(mirna, site, site_rows=53):
    """Gu 2021, Fig. 1; the miRNA 3'→5'."""
    w = Weights()
    ids = lambda letters, rows: ["NAUCG".find(letter) for letter in letters.ljust(rows, "N")]
    letters = torch.tensor(ids(mirna[:26][::-1], 26) + ids(site, site_rows))
    x = (w / "embedding")("weight", 5, 5)[letters].T.unsqueeze(0)
    x = F.max_pool1d(conv1d(w / "conv", x, 320, 12).relu(), 2)[0].T
    states = [keras_lstm(w / "bilstm" / "forward", x, 32), keras_lstm(w / "bilstm" / "backward", x.flip(0), 32)]
    x = dense(w / "dense", torch.cat(states).unsqueeze(0), 16).relu()
    return dense(w / "output", x, 1)


def mirbind2(mirna, site):
    """BioGeMT 2026: the grid of pairs, both 5'→3'."""
    w = Weights()
    number = {letter: place for place, letter in enumerate("AUCG")}
    state = lambda m, t: 4 * number[m] + number[t] if m in number and t in number else 17
    grid = [[state(m, t) for t in site.ljust(50, "N")] for m in mirna[:28].ljust(28, "N")]
    x = dense(w / "pair", F.one_hot(torch.tensor(grid), 18).double(), 8).permute(2, 0, 1).unsqueeze(0)
    for number, (filters, width, padding) in enumerate([(128, 6, 2), (64, 3, 1), (32, 3, 1)], 1):
        layer = w / f"conv{number}"
        kernel, bias = layer("weight", filters, x.shape[1], width, width), layer("bias", filters)
        x = batch_norm(w / f"norm{number}", F.conv2d(x, kernel, bias, padding=padding), 1e-5)
        x = F.max_pool2d(F.leaky_relu(x, 0.1), 2)
    x = batch_norm(w / "norm_dense", dense(w / "dense", x.flatten(1), 30), 1e-5)
    return dense(w / "output", F.leaky_relu(x, 0.1), 1)


def conv2d_same(w, x, filters, kernel, stride):
    """TensorFlow's "same": what lacks goes to the end first."""
    pads = []
    for size, width in ((x.shape[3], kernel[1]), (x.shape[2], kernel[0])):
        lacking = max((math.ceil(size / stride) - 1) * stride + width - size, 0)
        pads += [lacking // 2, lacking - lacking // 2]
    return F.conv2d(F.pad(x, pads), w("weight", filters, x.shape[1], *kernel), w("bias", filters), stride)


def premirna_cnn_lstm(sequence, downsample="stride", lstm_over="frame", end_masked=False):
    """Tasdelen & Sen 2021, Table 3; mirtron less canonical."""
    w = Weights()
    read = sequence[:-5] if end_masked else sequence
    x = one_hot(read, 164, "AUGC", 0.0)[None, None]
    for layer in ("conv1", "conv2", "conv3"):
        x = conv2d_same(w / layer, x, 128, (6, 4), 2 if downsample == "stride" else 1).relu()
        if downsample == "maxpool":
            x = F.max_pool2d(x, 2, 2, ceil_mode=True)
    x = x.squeeze(3).transpose(1, 2)  # (1, 21, 128)
    x = x if lstm_over == "positions" else x.reshape(1, 1, -1)
    x = dense(w / "dense", recurrent(w / "lstm", x, 100)[:, -1], 256).relu()
    canonical, mirtron = dense(w / "output", x, 2)[0]
    return mirtron - canonical


def premirna_cnn_zheng(sequence, filters="single", logit_relu=True):
    """Zheng 2019; mirtron less canonical."""
    w = Weights()
    x = one_hot(sequence, 164, "AUGC", 0.0)[None, None]
    heights = (6,) if filters == "single" else (3, 4, 5, 6)
    maxima = [
        conv2d_same(w / f"conv{height}", x, 128 // len(heights), (height, 4), 1).relu().amax(2) for height in heights
    ]
    x = torch.cat(maxima, 1).transpose(1, 2).flatten(1)
    x = dense(w / "output", dense(w / "dense", x, 128).relu(), 2)[0]
    mirtron, canonical = x.relu() if logit_relu else x
    return mirtron - canonical


def xpresso(promoter, tss, half_life_features, mirnas, features=(), names=(), window=(7000, 3500)):
    """Agarwal & Shendure 2020, Fig. 2, with room for the levels of miRNAs. The start lies at 7,000 of 10,500."""
    w = Weights()
    before, after = window
    part = promoter[max(tss - before, 0) : tss + after]
    letters = "N" * (7000 - min(tss, before)) + part
    x = one_hot(letters, 10500, "ACGU", 0.0).T.unsqueeze(0)
    x = F.max_pool1d(conv1d(w / "conv1", F.pad(x, (2, 3)), 128, 6).relu(), 30)
    x = F.max_pool1d(conv1d(w / "conv2", F.pad(x, (4, 4)), 32, 9).relu(), 10)
    x = x.transpose(1, 2).flatten(1)
    mean, sd = w("feature_mean", len(features)), w("feature_sd", len(features))
    known = [half_life_features.get(name) for name in features]
    scaled = [0.0 if value is None else float((value - m) / s) for value, m, s in zip(known, mean, sd)]
    levels = [mirnas.get(name, 0.0) for name in names]
    x = torch.cat([x, torch.tensor([scaled + levels], dtype=torch.double)], 1)
    x = dense(w / "hidden", dense(w / "dense", x, 64).relu(), 2).relu()
    return dense(w / "output", x, 1) * w("target_sd", 1) + w("target_mean", 1)


def words(letters):
    """Overlapping words of four letters: 5 and up; 1 for one with an N."""
    digits = lambda word: [("ACGU".find(letter)) for letter in word]
    number = lambda word: sum(digit * 4 ** (3 - place) for place, digit in enumerate(digits(word)))
    return [
        1 if -1 in digits(letters[at : at + 4]) else 5 + number(letters[at : at + 4]) for at in range(len(letters) - 3)
    ]


def attention(query, key, value, heads):
    split = lambda x: x.view(1, x.shape[1], heads, -1).transpose(1, 2)
    found = F.scaled_dot_product_attention(split(query), split(key), split(value))
    return found.transpose(1, 2).reshape(query.shape)


def bert(w, tokens, layers):
    tokens = torch.tensor([2] + tokens + [3])
    x = (w("words", 261, 96)[tokens] + w("positions", 52, 96)[: len(tokens)]).unsqueeze(0)
    x = layer_norm(w / "norm", x, 1e-12)
    for index in range(layers):
        layer = w / f"layer_{index}"
        query, key, value = dense(layer / "query_key_value", x, 288).chunk(3, 2)
        x = layer_norm(layer / "norm_attention", x + dense(layer / "attended", attention(query, key, value, 12), 96), 1e-12)
        fed = dense(layer / "outer", F.gelu(dense(layer / "inner", x, 384)), 96)
        x = layer_norm(layer / "norm_feed_forward", x + fed, 1e-12)
    return x[:, 1:-1]


def deepmirnatar(
    mirna, site, bert_layers=6, attention_kind="spatial_conv", text_cnn=True, recurrent_kind="lstm", plain=False
):
    """2024; the miRNA's words look at the site's."""
    w = Weights()
    table = w("word2vec", 256, 34)
    of_mirna = [table[word - 5] if word >= 5 else torch.zeros(34, dtype=torch.double) for word in words(mirna)]
    of_mirna, of_site = torch.stack(of_mirna).unsqueeze(0), bert(w / "bert", words(site), bert_layers)

    def encoder(path, x):
        if text_cnn:
            maps = [
                conv1d(path / f"filters_{width}", x.transpose(1, 2), 128, width, width // 2).relu() for width in (1, 3, 5)
            ]
            x = dense(path / "dense", torch.cat(maps, 1).transpose(1, 2), 64)
        else:
            x = dense(path / "dense", x, 64)
        if recurrent_kind != "none":
            layer = torch.nn.LSTM if recurrent_kind == "lstm" else torch.nn.GRU
            back = recurrent(path / "backward", x.flip(1), 32, layer).flip(1)
            x = torch.cat([recurrent(path / "forward", x, 32, layer), back], 2)
        return layer_norm(path / "norm", x)

    def attend(path, state, memory):
        part = lambda name, x: dense(path / name, x, 64)
        found = attention(part("query", state), part("key", memory), part("value", memory), 8)
        return dense(path / "output", found, 64)

    def feed_forward(path, x):
        return dense(path / "outer", dense(path / "inner", x, 256).relu(), 64)

    if plain:
        memory, state = placed(w / "site", of_site), placed(w / "mirna", of_mirna)
        for index in range(4):
            layer = w / f"encoder_{index}"
            memory = layer_norm(layer / "norm_own", memory + attend(layer / "own", memory, memory))
            memory = layer_norm(layer / "norm_feed_forward", memory + feed_forward(layer / "feed_forward", memory))
        for index in range(4):
            layer = w / f"decoder_{index}"
            state = layer_norm(layer / "norm_own", state + attend(layer / "own", state, state))
            state = layer_norm(layer / "norm_cross", state + attend(layer / "cross", state, memory))
            state = layer_norm(layer / "norm_feed_forward", state + feed_forward(layer / "feed_forward", state))
    else:
        memory, state = encoder(w / "site", of_site), encoder(w / "mirna", of_mirna)
        for index in range(4):
            layer = w / f"decoder_{index}"
            found = attend(layer / "attention", state, memory)
            if attention_kind == "spatial_conv":
                near = conv1d(layer / "convolution", state.transpose(1, 2), 64, 3, 1).transpose(1, 2)
                found = found + near * layer("beta", 1)
            state = layer_norm(layer / "norm_attention", state + found)
            state = layer_norm(layer / "norm_feed_forward", state + feed_forward(layer / "feed_forward", state))
    share = state.norm(dim=2).softmax(1)
    pooled = (state * share.unsqueeze(2)).sum(1)
    no, yes = dense(w / "output", dense(w / "hidden", pooled, 256).relu(), 2)[0]
    return yes - no


def placed(w, x):
    x = dense(w, x, 64)
    rates = torch.exp(torch.arange(32, dtype=torch.double) * (-2 * math.log(10_000) / 64))
    angles = torch.arange(x.shape[1], dtype=torch.double)[:, None] * rates
    return x + torch.cat([angles.sin(), angles.cos()], 1)
