// The chapters about the graph and its parts.
#include "compiler/language/page/chapters.h"

namespace nnc::language::chapters {

const char* const model = R"md(
Layers from top to bottom: each takes what the one above gives, unless `from` says otherwise; the
first takes the model's only input. `outputs` are what `nnc predict` and emitted code compute.

`params` are free trainable numbers and arrays, for formulas. A fit of a line needs no layer at all:

```yaml
nnc: 1
precision: f64
data:
  train: {inline: {x: [0, 1, 2, 3, 4], y: [1.1, 2.9, 5.2, 7.1, 8.8]}}
model:
  inputs: [x]
  params: {slope: 1, offset: {init: 0, min: -5, max: 5}}
  outputs: {line: "slope*x + offset"}
loss: {mean_squared_error: {prediction: line, target: y}}
metrics: [rmse, r2]
train: {epochs: 500, batch: all, optimizer: {sgd: {rate: 0.05}}}
```

With a shape they are arrays, the same in every row. These are the weights of a network with one
hidden layer that is written out:

```yaml
nnc: 1
data:
  train: {generate: {rows: 100, x: "uniform(-1, 1, [4])", y: "norm(x)"}}
model:
  inputs: [x]
  params:
    w1: {shape: [4, 16], init: he_normal}
    b1: {shape: [16]}
    w2: {shape: [16], init: {normal: {stddev: 0.1}}}
  layers:
    - expr: "relu(x @ w1 + b1)"
      name: h
  outputs: {y_hat: "h @ w2"}
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 5, optimizer: adam}
```
)md";

const char* const layers = R"md(
Every entry says what the layer computes, row shapes first. Every [activation](#activations) is a
layer as well.
)md";

const char* const blocks = R"md(
A block is a template of layers; each use has weights of its own, unless `share` names another use.
`repeat` puts rounds one after the other, `residual` adds its input to what its layers make of it.

```yaml
nnc: 1
data:
  train: {generate: {rows: 40, x: "uniform(0, 1, [8, 8, 3])", y: "mean(x)"}}
blocks:
  bottleneck:
    args: {filters: 4, form: relu}
    inputs: [v]
    layers:
      - conv2d: {filters: $filters, kernel: 3, padding: same, bias: false}
      - batch_norm
      - activation: $form
model:
  inputs: [x]
  layers:
    - block: bottleneck
      name: first
    - block: bottleneck
      name: second
      with: {filters: 8}
    - repeat:
        times: 2
        layers:
          - residual: [{conv2d: {filters: 8, kernel: 3, padding: same}}, relu]
      name: body
    - residual:
        layers: [{conv2d: {filters: 16, kernel: 3, stride: 2, padding: same}}, relu]
        shortcut: [{conv2d: {filters: 16, kernel: 1, stride: 2}}]
    - global_avgpool
    - dense: 1
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 1, optimizer: adam}
```

Layers inside are called by dotted names: `first.conv2d_1`, `body.2.residual_1`. `freeze`, `share`
and `init` beside a use are for all of its layers. What may stand under the name of a block:
)md";

const char* const activations = R"md(
Each is a layer (`- leaky_relu: 0.1`), the `activation` of layers that have one
(`activation: {leaky_relu: 0.1}`), and most are functions of [formulas](#formulas).
)md";

const char* const initialisers = R"md(
How weights start: `init: he_normal`, `init: {normal: {stddev: 0.02}}`, `init: 0`, or with the
values written out. Of layers with several weights each may have its own:

```yaml
nnc: 1
data:
  train: {generate: {rows: 20, picture: "uniform(0, 1, [8, 8, 1])", y: "mean(picture)"}}
model:
  inputs: [picture]
  layers:
    - conv2d:
        filters: 2
        kernel: 3
        bias: false
        init:
          kernel:
            - [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
            - [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]
      name: edges
      freeze: true
    - flatten
    - dense: {units: 1, init: {kernel: he_normal, bias: 0.5}}
      name: y_hat
loss: {mean_squared_error: {prediction: y_hat, target: y}}
train: {epochs: 1, optimizer: sgd}
```

Weights of another run: `init: {from: runs/lenet5-001}` beside a layer or the use of a block takes
those of the same name, `init: {from: runs/lenet5-001, name: fc1}` those of another. Shapes must
agree. They may be trained further, or kept with `freeze: true`:

```yaml
    - dense: {units: 120, activation: tanh}
      name: fc1
      init: {from: runs/lenet5-001}
      freeze: true
```
)md";

const char* const functions = R"md(
`model.outputs` is the function `predict`. Further ones may take any named value of the graph as an
input, which is cut there: nothing above it is computed. Fields come raw, values of the graph as
they are. `nnc generate RUN --function decode` calls one whose inputs are drawn or given on the
command line.

```yaml
nnc: 1
data:
  train: {generate: {rows: 64, x: "uniform(0, 1, [12])"}}
model:
  inputs: [x]
  layers:
    - dense: {units: 8, activation: relu}
      name: h
    - dense: 2
      name: mu
    - dense: 2
      name: logvar
      from: h
    - expr: "mu + exp(0.5*logvar) * normal(shape(mu))"
      name: z
      predict: "mu"
    - dense: {units: 8, activation: relu}
    - dense: 12
      name: xlogit
  outputs: {reconstruction: "sigmoid(xlogit)", code: mu}
functions:
  encode: {inputs: [x], outputs: {code: mu}}
  decode: {inputs: [z], outputs: {x: "sigmoid(xlogit)"}, draw: {z: "normal()"}}
loss:
  terms:
    bce: {binary_cross_entropy: {logits: xlogit, target: x, elements: sum}}
    kl: {kl_divergence: {from: {normal: {mean: mu, log_variance: logvar}}, to: standard_normal}}
  total: "bce + kl"
train: {epochs: 2, optimizer: adam}
```
)md";

}  // namespace nnc::language::chapters
