// The chapters about the file as a whole: its shape, its rules, settings, formulas.
#include "compiler/language/page/chapters.h"

namespace nnc::language::chapters {

const char* const opening = R"md(# The language of model files

<!-- Printed by `nnc help --markdown` from the compiler's own tables; a test compares the two.
     To renew it: build/nnc help --markdown > docs/language.md -->

A model file says in one place where the rows come from, what the network is, what training makes
small and how. This page is printed from the tables by which the compiler reads such files, so that
the two cannot disagree; `nnc help WORD` says the same about one word, `nnc schema` tells it to
editors. Every example here is checked with each change of the compiler.
)md";

const char* const shape = R"md(
A file is one YAML map. Only `nnc`, the version of the language, and `model` have to be there; a
model that shall be trained has `data`, `loss` and `train` as well. This one is complete:

```yaml
nnc: 1
name: xor
data:
  train: {inline: {x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0]}}
model:
  inputs: [x]
  layers:
    - dense: {units: 8, activation: tanh}
    - dense: 1
      name: score
  outputs: {probability: "sigmoid(score)"}
loss: {binary_cross_entropy: {logits: score, target: y}}
metrics: [accuracy]
train: {epochs: 500, batch: all, optimizer: {adam: {rate: 0.05}}}
```

The sections, in the order in which files usually have them:
)md";

const char* const rules = R"md(
**YAML.** Files are YAML 1.2 without tags, anchors and aliases. Booleans are `true` and `false`
only; `2e-4` is a number. A key that nobody knows, or that stands twice, is an error, and says at
which line and column, with the nearest known name. All errors of a file are reported together.

**Files and code.** A model file cannot run code, and reads no files but those that it names in
`data` and in `init: {from: RUN}`. Relative paths begin at the model file.

**Layers.** A layer is a map with one layer's word and what may stand
[beside it](#beside-a-layer). The most important argument may stand alone (`- dense: 64`). A layer
without arguments may be a bare word (`- flatten`), with a colon when something stands beside it:

```yaml
nnc: 1
data:
  train: {generate: {rows: 64, picture: "uniform(0, 1, [4, 4])", y: "mean(picture)"}}
model:
  inputs: [picture]
  layers:
    - flatten:
      name: flat
    - dense: {units: 6, activation: relu}
      name: left
    - dense: {units: 6, activation: tanh}
      name: right
      from: flat
    - concat: [left, right]
    - dense: 1
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 2, optimizer: sgd}
```

**Names.** What is referred to has a name (`[A-Za-z_][A-Za-z0-9_]*`); nothing is referred to by its
position. Layers without a name are called dense_1, dense_2 … in tables and among the weights.
Inside blocks names have dots: `d_real.conv`, `body.2.norm`. Weights are `fc1.kernel`, `fc1.bias`.

**Shapes** leave out the batch. A field of one number per row has the shape `[]`; `dense` reads it
as `[1]`, and losses take `[]` and `[1]` as equal. Pictures are [rows, columns, channels]: channels
last. A convolution does not flip its kernel.

**Numbers** may be arithmetic wherever a number is expected: `1/255`, `4*$width`.

**Durations** are a number of epochs, or steps: `200 steps`. A step is one batch.

**Three modes.** While training, dropout, augment steps and random formulas draw. An evaluation (the
splits valid and test) draws only in layers that say so by `when` and in random formulas, with the
same numbers for a row each time. Prediction and emitted code draw nothing; a random formula on the
way to an output needs `predict:` beside it, which says what stands in its place.

**The same bits.** The same file, data and seed give the same bits for any number of threads.
)md";

const char* const settings = R"md(
What stands in `settings` is used elsewhere as `$name`, or as `${name}` inside of longer texts; `$$`
is a dollar. `--set width=64` changes a setting on the command line, and `--set` with a dotted path
anything else: `--set train.optimizer.adam.rate=3e-4`.

A setting may be a ramp, a number that changes while training:
`{ramp: {from: 0, to: 1, epochs: 5}}`. Evaluations use the number at its end, so that figures of
different epochs compare.

```yaml
nnc: 1
settings:
  width: 8
  noise: 0.1
  sharpness: {ramp: {from: 0, to: 1, epochs: 3}}
data:
  train: {generate: {rows: 100, x: "uniform(0, 1, [3])", y: "sum(x) + $noise*normal()"}}
model:
  inputs: [x]
  layers:
    - dense: {units: 2*$width, activation: relu}
    - dense: 1
      name: y_hat
loss:
  terms:
    distance: {mean_squared_error: {prediction: y_hat, target: y}}
    sides: "$sharpness * sum(abs(y_hat - y))"
train: {epochs: 5, optimizer: {sgd: {rate: 0.01}}}
```
)md";

const char* const formulas = R"md(
Formulas are texts in quotes, under `expr`, `outputs`, `terms`, `total`, `predict`, `where`,
`generate` and `draw`. They speak of one row: of numbers, and of the names of fields, layers,
params, weights and outputs. Axes count within the row, from 0, or from the end with -1; the batch
cannot be named. Shapes broadcast as in NumPy. Formulas are differentiated like any layer.

- `or`, `and`, `not`: conditions; a number is true unless it is 0.
- `<` `<=` `>` `>=` `==` `!=`: comparisons.
- `+` `-` `*` `/` `^`: arithmetic; `^` is the power and binds to the right.
- `@`: the matrix product.
- `x[0:2]`, `x[..., ::2]`, `x[::-1]`: a part of a row.
- `[a, b]`: values of one shape side by side, along a new first axis.
- `pi`: 3.14159…
- `axis=` in a call: an axis or a list of them; without it all of the row. `keepdims=true` beside it
  leaves each with one entry.

```yaml
nnc: 1
data:
  train:
    generate:
      rows: 200
      x: "uniform(-1, 1, [3])"
      y: "if(x[0] > 0, x[1], x[2]) + 0.1*normal()"
model:
  inputs: [x]
  params: {turn: {shape: [3, 3], init: glorot_uniform}, scale: 1}
  layers:
    - expr: "scale * tanh(x @ turn)"
      name: turned
    - expr: "concat([turned, x^2, [norm(x), max(x)]])"
    - dense: 1
      name: y_hat
  outputs:
    value: "y_hat"
    length: "sqrt(sum(turned^2))"
loss:
  terms:
    fit: "(y_hat[0] - y)^2"
    small: "0.001 * sum(y_hat.kernel^2)"
train: {epochs: 3, optimizer: adam}
```
)md";

}  // namespace nnc::language::chapters
