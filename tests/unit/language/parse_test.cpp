#include "compiler/language/parse.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "compiler/language/resolve.h"
#include "compiler/layers/catalogue.h"
#include "tests/support/paths.h"

using namespace nnc;
using namespace nnc::language;

namespace {

const std::string example = R"yaml(nnc: 1
name: peak-fit
precision: f64
settings:
  dir: pictures
  width: 16
  wide: $width*2
  rate: 1/4
data:
  train: {idx: {image: $dir/a.gz, label: "${dir}/b.gz"}, where: "label != 9"}
  test: {idx: {image: /data/c.gz, label: /data/d.gz}}
  valid: {fraction: 0.1, stratify: label, seed: 7}
  fields:
    image: {shape: [28, 28, 1], prepare: [{scale: 1/255}, standardize]}
    label: {names: [a, b, "3"]}
model:
  inputs: [image]
  params: {m: 1.5, b: {init: 0, min: -5, max: 5}}
  layers:
    - flatten
    - dense: {units: $wide, activation: {leaky_relu: 0.1}}
      name: h
    - dense: 4*$width
    - dense: {units: 64, bias: false}
      name: twin
      from: h
      penalty: {l2: 1e-4}
    - add: [dense_out, twin]
    - dense: 3
      name: logits
      freeze: true
  outputs: {probability: "softmax(m*logits + $rate)", weight: h.kernel}
loss:
  terms:
    ce: {cross_entropy: {logits: logits, target: label}, weight: 0.5}
    size: "m^2"
  total: "ce + 0.1*size"
  rows: sum
  penalty: {l2: 1e-3}
metrics: [accuracy]
train:
  epochs: 10
  batch: all
  optimizer: {adam: {rate: 3e-4}}
  clip: {norm: 1}
  early_stop: {watch: valid.accuracy, patience: 5}
)yaml";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string messages(const Diagnostics& diagnostics) {
  std::string result;
  for (const Diagnostic& d : diagnostics.sorted()) result += render(d);
  return result;
}

Description good(const std::string& text, const std::vector<std::string>& overrides = {},
                 const std::string& path = "/models/net.yaml") {
  Diagnostics diagnostics;
  const auto result = parse_text(text, path, {overrides}, layers::catalogue(), diagnostics);
  CHECK(messages(diagnostics) == "");
  REQUIRE(result.has_value());
  return *result;
}

std::string errors(const std::string& text, const std::vector<std::string>& overrides = {}) {
  Diagnostics diagnostics;
  const auto result = parse_text(text, "net.yaml", {overrides}, layers::catalogue(), diagnostics);
  CHECK(result.has_value() != diagnostics.has_errors());
  return messages(diagnostics);
}

std::string file() {
  return with(example, "    - dense: 4*$width\n", "    - dense: 4*$width\n      name: dense_out\n");
}

}  // namespace

TEST_CASE("words that steer a terminal are written by their numbers, and read back") {
  const std::string odd = with(file(), "names: [a, b, \"3\"]",
                               R"(names: ["a\e[31m\n", "b\u009b\u202e", "größe \"\\\""])");
  const Description d = good(odd);
  CHECK(d.data->field("label")->class_names[1] == "b\u009b\u202e");
  const std::string text = to_yaml(d);
  CHECK(text.find(R"(["a\x1b[31m\n", "b\x9b\u202e", "größe \"\\\""])") != std::string::npos);
  CHECK(good(text).data->field("label")->class_names == d.data->field("label")->class_names);
}

TEST_CASE("a loss alone takes a weight as a term of several does") {
  const std::string terms = file();
  const size_t begin = terms.find("loss:\n"), end = terms.find("metrics:");
  const std::string one = terms.substr(0, begin) +
                          "loss: {cross_entropy: {logits: logits, target: label}, weight: 2}\n" +
                          terms.substr(end);
  const Description d = good(one);
  REQUIRE(d.loss->terms.size() == 1);
  CHECK(d.loss->terms[0].name.text == "cross_entropy");
  CHECK(d.loss->terms[0].weight->text == "2");
  CHECK(to_yaml(d).find("}, weight: ") != std::string::npos);
}

TEST_CASE("a file becomes a typed description with places") {
  const Description d = good(file());
  CHECK(d.name == "peak-fit");
  CHECK(d.precision == Precision::f64);
  CHECK(d.settings[2].number == 32);
  CHECK(d.settings[3].number == 0.25);

  const Split& train = *d.data->split("train");
  CHECK(train.source->kind == "idx");
  CHECK(train.source->args.text("image") == "/models/pictures/a.gz");
  CHECK(train.source->args.text("label") == "/models/pictures/b.gz");
  CHECK(train.where->text == "label != 9");
  CHECK(d.data->split("valid")->fraction->share.value == 0.1);
  CHECK(d.data->split("valid")->fraction->stratify->text == "label");
  CHECK(d.data->split("valid")->fraction->seed.value == 7);
  const Field& image = *d.data->field("image");
  CHECK(image.shape->value == std::vector<int64_t>{28, 28, 1});
  CHECK(image.prepare.size() == 2);
  CHECK(image.prepare[0].args.number("factor") == 1.0 / 255);
  CHECK(d.data->field("label")->classes->value == 3);
  CHECK(d.data->field("label")->class_names == std::vector<std::string>{"a", "b", "3"});

  CHECK(d.loss->terms.size() == 2);
  CHECK(d.loss->terms[0].loss->kind == "cross_entropy");
  CHECK(d.loss->terms[0].weight->text == "0.5");
  CHECK(d.loss->terms[1].formula->text == "m^2");
  CHECK(d.loss->rows == Rows::sum);
  CHECK(d.loss->penalty->l2 == 1e-3);
  CHECK(d.metrics[0].name == "accuracy");
  CHECK(d.train->epochs->value == 10);
  CHECK(d.train->batch.all);
  CHECK(d.train->optimizer.args.number("rate") == 3e-4);
  CHECK(d.train->clip->norm->value == 1);
  CHECK(d.train->keep.value == Keep::best);
}

TEST_CASE("layers know their inputs, names and arguments") {
  const Description d = good(file());
  const std::vector<Layer>& layers = d.model.layers;
  REQUIRE(layers.size() == 6);
  CHECK(layers[0].name == "flatten_1");
  CHECK_FALSE(layers[0].named);
  CHECK(layers[0].from[0].text == "image");
  CHECK(layers[1].from[0].text == "flatten_1");
  CHECK(layers[1].args.integer("units") == 32);
  CHECK(layers[1].args.entry("activation").kind.text == "leaky_relu");
  CHECK(layers[2].args.integer("units") == 64);
  CHECK(layers[3].from[0].text == "h");
  CHECK(layers[3].from_given);
  CHECK_FALSE(layers[3].args.boolean("bias"));
  CHECK(layers[3].penalty->l2 == 1e-4);
  CHECK(layers[4].from.size() == 2);
  CHECK(layers[5].freeze.value);
  CHECK(layers[5].args.boolean("bias"));
  CHECK_FALSE(layers[5].args.given("bias"));
  CHECK(layers[1].args.span("units").line == 21);
  CHECK(layers[1].args.span("units").column == 22);
  CHECK(d.model.params[1].maximum->value == 5);
  CHECK(d.model.outputs[0].formula.text == "softmax(m * logits + 0.25)");
}

TEST_CASE("automatic names count each kind and avoid given names") {
  const Description d = good(R"yaml(nnc: 1
data: {fields: {x: {shape: [4]}}}
model:
  inputs: [x]
  layers:
    - dense: 2
    - dense: 2
      name: dense_2
    - relu
    - dense: 2
)yaml");
  CHECK(d.model.layers[0].name == "dense_1");
  CHECK(d.model.layers[2].name == "relu_1");
  CHECK(d.model.layers[3].name == "dense_3");
  CHECK(d.name == "net");
  REQUIRE(d.model.outputs.size() == 1);
  CHECK(d.model.outputs[0].formula.text == "dense_3");
  CHECK_FALSE(d.model.outputs_given);
}

TEST_CASE("--set reaches settings by name and all else by path") {
  const Description d =
      good(file(),
           {"width=8", "train.optimizer.adam.rate=0.5", "model.layers.h.dense.activation=tanh",
            "model.layers.0.name=flat", "train.seed=3", "name=other", "precision=f32",
            "train.clip={value: 2}", "data.valid.fraction=1/4", "metrics=[accuracy, confusion]"});
  CHECK(d.model.layers[1].args.integer("units") == 16);
  CHECK(d.train->optimizer.args.number("rate") == 0.5);
  CHECK(d.model.layers[1].args.entry("activation").kind.text == "tanh");
  CHECK(d.model.layers[0].name == "flat");
  CHECK(d.train->seed.value == 3);
  CHECK(d.name == "other");
  CHECK(d.precision == Precision::f32);
  CHECK(d.train->clip->value->value == 2);
  CHECK_FALSE(d.train->clip->norm.has_value());
  CHECK(d.data->split("valid")->fraction->share.value == 0.25);
  CHECK(d.metrics.size() == 2);
  // A bare word makes room for its arguments.
  const Description bare =
      good(with(file(), "{adam: {rate: 3e-4}}", "adam"), {"train.optimizer.adam.rate=0.5"});
  CHECK(bare.train->optimizer.args.number("rate") == 0.5);
}

TEST_CASE("what --set cannot do is said where it stands") {
  CHECK(errors(file(), {"widht=3"}) ==
        "--set:1:1: error: --set: there is no setting 'widht'; did you mean 'width'?\n"
        "   1 | widht=3\n"
        "     | ^~~~~\n"
        "  expected  dir, width, wide or rate, or a dotted path such as train.epochs\n");
  CHECK(errors(file(), {"model.layers.hh.dense.units=3"}) ==
        "--set:1:1: error: --set finds no 'hh'; did you mean 'h'?\n"
        "   1 | model.layers.hh.dense.units=3\n"
        "     | ^~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "  expected  one of 0, h, dense_out, twin, 4 or logits\n");
  CHECK(errors(file(), {"train.epochs=ten"}) ==
        "--set:1:14: error: 'epochs' of train has the wrong kind of value\n"
        "   1 | train.epochs=ten\n"
        "     |              ^~~\n"
        "  expected  an integer of at least 0 and at most 1000000000\n"
        "  got       'ten'\n");
  CHECK(errors(file(), {"train.optimizer.adam.rat=1"}).find("did you mean 'rate'?") !=
        std::string::npos);
  CHECK(errors(file(), {"train.epochs"}).find("--set needs a path and a value") !=
        std::string::npos);
  CHECK(errors(file(), {"width="}).find("cannot be read") != std::string::npos);
  CHECK(errors(file(), {"name.a.b=1"}).find("--set finds no 'a'") != std::string::npos);
  std::string deep = "a";
  for (int i = 0; i < 10'000; ++i) deep += ".a";
  CHECK(errors(file(), {deep + "=1"}).find("too long") != std::string::npos);
}

TEST_CASE("the resolved file loads again to the same, wherever it lies") {
  const std::string resolved = to_yaml(good(file(), {"width=8"}));
  CHECK(resolved.find('$') == std::string::npos);
  const Description again = good(resolved, {}, "/elsewhere/model.yaml");
  CHECK(to_yaml(again) == resolved);
  CHECK(again.data->split("train")->source->args.text("image") == "/models/pictures/a.gz");
  CHECK(again.model.layers[2].args.integer("units") == 32);
}

TEST_CASE("a dollar, quotes and odd texts survive being resolved") {
  const std::string text = R"yaml(nnc: 1
data:
  train: {csv: {file: "a $$b's \"c\".csv", columns: {x: ["1", "tr ue", "true"], y: "0x10"}}}
model: {inputs: [x], layers: [{dense: 1}]}
)yaml";
  const Description d = good(text, {}, "/m/a.yaml");
  CHECK(d.data->split("train")->source->args.text("file") == "/m/a $b's \"c\".csv");
  const Description again = good(to_yaml(d));
  CHECK(again.data->split("train")->source->args.text("file") == "/m/a $b's \"c\".csv");
  CHECK(to_yaml(again) == to_yaml(d));
}

TEST_CASE("the dump shows defaults and where each layer stands") {
  const std::string text = dump(good(file()));
  CHECK(text.find("bias: true") != std::string::npos);
  CHECK(text.find("# flatten_1 from [image] @/models/net.yaml:20:7") != std::string::npos);
}

TEST_CASE("all models load and their resolved files load to the same") {
  int models = 0;
  const auto folder = std::filesystem::path(testing::source_dir()) / "models";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".yaml") continue;
    CAPTURE(entry.path().string());
    Diagnostics diagnostics;
    const auto d = parse(entry.path().string(), {}, layers::catalogue(), diagnostics);
    CHECK(messages(diagnostics) == "");
    REQUIRE(d.has_value());
    CHECK(to_yaml(good(to_yaml(*d))) == to_yaml(*d));
    ++models;
  }
  CHECK(models > 0);
}

TEST_CASE("one mistake in a good file gives one error on its line") {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"units: $wide", "units: -1"},
      {"units: $wide", "unit: 1"},
      {"leaky_relu: 0.1", "leaky_relu: x"},
      {"from: h\n", "from: hh\n"},
      {"target: label", "target: lable"},
      {"stratify: label", "stratify: lable"},
      {"label != 9", "lable != 9"},
      {"epochs: 10", "epohcs: 10"},
      {"epochs: 10", "epochs: 1.5"},
      {"batch: all", "batch: some"},
      {"rate: 3e-4", "rate: -1"},
      {"patience: 5", "patience: 0"},
      {"freeze: true", "freeze: yes"},
      {"precision: f64", "precision: f16"},
      {"[accuracy]", "[acuracy]"},
      {"m*logits", "mm*logits"},
      {"h.kernel", "hh.kernel"},
      {"$wide,", "$wid,"},
      {"ce + 0.1*size", "ce + 0.1*sise"},
      {"rows: sum", "rows: some"},
      {"max: 5", "max: -5"},
      {"{norm: 1}", "{norm: 0}"},
      {"fraction: 0.1", "fraction: 1"},
      {"standardize]", "standardise]"}};
  for (const auto& [from, to] : changes) {
    CAPTURE(to);
    const std::string text = with(file(), from, to);
    Diagnostics diagnostics;
    CHECK_FALSE(parse_text(text, "net.yaml", {}, layers::catalogue(), diagnostics).has_value());
    INFO(messages(diagnostics));
    REQUIRE(diagnostics.sorted().size() == 1);
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<long>(text.find(to)), '\n');
    CHECK(diagnostics.sorted()[0].span.line == line);
  }
}
