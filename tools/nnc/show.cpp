// nnc show: what a trained model has learned: its weights and free parameters.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "compiler/support/text.h"
#include "runtime/json_reader.h"
#include "runtime/summary.h"
#include "tools/nnc/command.h"
#include "tools/nnc/terminal.h"
#include "tools/workbench/readable.h"
#include "tools/workbench/trained.h"

namespace nnc::tool {

using namespace workbench;

namespace {

using nlohmann::ordered_json;

constexpr size_t histogram_parts = 10;
constexpr size_t most_inline = 4;    // numbers that stand in the place of their statistics
constexpr size_t most_values = 256;  // of a tensor that --values prints

struct Flags {
  std::string run;
  std::vector<std::string> names;
  bool values = false;
  bool json = false;
};

struct Tensor {
  abi::StateDesc desc;
  const char* kind = "";  // weight, frozen weight, param, statistic, prepared
  std::vector<double> numbers;
  runtime::Summary summary;
};

struct Shown {
  Trained trained;
  ordered_json facts;  // of the manifest
  std::vector<Tensor> tensors;
};

const char* kind_of(const abi::StateDesc& desc, const Trained& trained,
                    const CompiledModel& compiled) {
  for (const language::Parameter& param : trained.model.description.model.params) {
    if (param.name.text == desc.name) return param.shape.empty() ? "param" : "weight";
  }
  if (desc.kind == abi::StateKind::statistic) return "statistic";
  if (desc.kind == abi::StateKind::prepared) return "prepared";
  for (const assemble::ParameterInfo& info : compiled.forward().parameters) {
    if (info.name == desc.name && !info.trainable) return "frozen weight";
  }
  return "weight";
}

// Whether one of the names is the tensor's, or its layer's.
bool is_named(const abi::StateDesc& desc, const std::vector<std::string>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return desc.name == name || desc.name.starts_with(name + ".") ||
                  desc.name.starts_with(name + ":");
         });
}

void check_names(const std::vector<std::string>& names, const std::vector<abi::StateDesc>& states) {
  std::vector<std::string> known;
  for (const abi::StateDesc& desc : states) {
    known.push_back(desc.name);
    const std::string owner = desc.name.substr(0, desc.name.find_last_of(".:"));
    if (std::find(known.begin(), known.end(), owner) == known.end()) known.push_back(owner);
  }
  for (const std::string& name : names) {
    const bool found = std::any_of(states.begin(), states.end(),
                                   [&](const auto& desc) { return is_named(desc, {name}); });
    if (found) continue;
    const auto near = nearest(name, known);
    throw CommandError(Exit::usage,
                       fmt::format("the model has no weights {}{}", in_quotes(name),
                                   near ? "; did you mean " + in_quotes(*near) + "?" : ""),
                       "the names are those of the table: `nnc show RUN` alone shows all");
  }
}

// In the order of the file's layers; a layer's kernel comes first.
void sort_by_layers(std::vector<abi::StateDesc>& states, const assemble::Forward& forward) {
  const auto place = [&](const abi::StateDesc& desc) {
    const std::string owner = desc.name.substr(0, desc.name.find_last_of(".:"));
    size_t layer = 0;
    while (layer < forward.layers.size() && forward.layers[layer].name != owner) ++layer;
    return std::pair(layer, !desc.name.ends_with(".kernel"));
  };
  std::stable_sort(states.begin(), states.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

Shown collect(const Flags& flags) {
  Shown shown;
  shown.trained = open_trained(flags.run);
  if (!shown.trained.folder.empty()) read_manifest(shown.trained.folder, &shown.facts);
  CompileOptions options;
  options.training = false;
  const auto compiled = compile_model(shown.trained.model, shown.trained.fields, options, false);
  const runtime::Buffer state = trained_state(shown.trained, *compiled);
  std::vector<abi::StateDesc> states;
  for (const abi::StateDesc& desc : compiled->program().states) {
    const bool kept =
        desc.kind != abi::StateKind::derived && desc.kind != abi::StateKind::optimizer;
    if (kept) states.push_back(desc);
  }
  sort_by_layers(states, compiled->forward());
  check_names(flags.names, states);
  for (const abi::StateDesc& desc : states) {
    if (!is_named(desc, flags.names)) continue;
    Tensor tensor{
        desc, kind_of(desc, shown.trained, *compiled), runtime::numbers_of(desc, state), {}};
    tensor.summary = runtime::summarize(tensor.numbers, histogram_parts);
    shown.tensors.push_back(std::move(tensor));
  }
  return shown;
}

ordered_json number_or_null(double x) { return std::isfinite(x) ? ordered_json(x) : nullptr; }

ordered_json to_json(const Tensor& tensor, bool values) {
  const runtime::Summary& summary = tensor.summary;
  ordered_json json = {{"name", tensor.desc.name},
                       {"kind", tensor.kind},
                       {"shape", tensor.desc.shape},
                       {"numbers", summary.numbers},
                       {"mean", number_or_null(summary.mean)},
                       {"deviation", number_or_null(summary.deviation)},
                       {"min", number_or_null(summary.least)},
                       {"max", number_or_null(summary.most)},
                       {"histogram", summary.histogram}};
  if (summary.not_finite > 0) json["not_finite"] = summary.not_finite;
  if (values || tensor.numbers.size() <= most_inline) {
    json["values"] = ordered_json::array();
    for (double x : tensor.numbers) json["values"].push_back(number_or_null(x));
  }
  return json;
}

void print_as_json(const Shown& shown, bool values) {
  ordered_json json = {{"model", shown.trained.manifest.model_name}};
  if (!shown.trained.folder.empty()) json["run"] = shown.trained.folder;
  json["tensors"] = ordered_json::array();
  for (const Tensor& tensor : shown.tensors) json["tensors"].push_back(to_json(tensor, values));
  print_json(json);
}

// Four digits, as short as they are.
std::string short_text(double x) {
  if (std::isnan(x)) return "nan";
  return fmt::format("{:.4g}", x == 0 ? 0.0 : x);
}

// The histogram between its ends; an empty part is a point, so that every part is seen.
std::string bars(const runtime::Summary& summary) {
  static const char* const heights[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto most = *std::max_element(summary.histogram.begin(), summary.histogram.end());
  if (most == 0) return "";
  std::string text;
  for (int64_t count : summary.histogram) {
    const auto height = static_cast<size_t>(
        std::ceil(8.0 * static_cast<double>(count) / static_cast<double>(most)));
    text += height == 0 ? "·" : heights[height - 1];
  }
  return fmt::format("{:>7} {} {}", fmt::format("{:.2g}", summary.least), text,
                     fmt::format("{:.2g}", summary.most));
}

// A long name keeps its two ends.
std::string shortened(const std::string& name, int width) {
  const int length = characters(name);
  if (length <= width) return name;
  const int head = (width - 1) / 2, tail = width - 1 - head;
  return name.substr(0, byte_of(name, head)) + "…" + name.substr(byte_of(name, length - tail));
}

std::string size_text(const std::vector<int64_t>& shape) {
  return shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, "×"));
}

void print_row(const Tensor& tensor, size_t name_width, size_t shape_width) {
  const runtime::Summary& summary = tensor.summary;
  std::string rest;
  if (tensor.numbers.size() <= most_inline) {
    rest = "      =";
    for (double x : tensor.numbers) rest += "  " + short_text(x);
  } else {
    rest = fmt::format("{:>9} {:>9} {}", short_text(summary.mean), short_text(summary.deviation),
                       bars(summary));
  }
  if (summary.not_finite > 0) {
    rest += fmt::format("  {} not finite", with_commas(summary.not_finite));
  }
  const std::string name = shortened(printable(tensor.desc.name), static_cast<int>(name_width));
  const std::string shape = size_text(tensor.desc.shape);
  const auto gap = [](size_t width, const std::string& text) {
    return std::string(width - std::min(width, static_cast<size_t>(characters(text))), ' ');
  };
  fmt::print("  {}{}  {}{} {}\n", name, gap(name_width, name), gap(shape_width, shape), shape,
             rest);
}

// The tensors of these kinds under a heading; nothing if there are none.
void print_table(const Shown& shown, const std::vector<std::string>& kinds, const char* heading) {
  constexpr size_t width = 80, others = 51;  // columns of a line, and those of its numbers
  std::vector<const Tensor*> rows;
  size_t name_width = std::string_view(heading).size(), shape_width = 5;
  bool has_statistics = false;
  for (const Tensor& tensor : shown.tensors) {
    if (std::find(kinds.begin(), kinds.end(), tensor.kind) == kinds.end()) continue;
    rows.push_back(&tensor);
    name_width = std::max(name_width, static_cast<size_t>(characters(tensor.desc.name)));
    shape_width =
        std::max(shape_width, static_cast<size_t>(characters(size_text(tensor.desc.shape))));
    has_statistics |= tensor.numbers.size() > most_inline;
  }
  if (rows.empty()) return;
  const size_t room = shape_width + others + 8 < width ? width - others - shape_width : 8;
  name_width = std::min(name_width, room);
  const std::string line = fmt::format("  {:<{}}  {:>{}} {:>9}{}", heading, name_width, "shape",
                                       shape_width, has_statistics ? "mean" : "value",
                                       has_statistics ? " deviation    from … to" : "");
  fmt::print("\n{}\n", styled(line, Style::bold));
  for (const Tensor* tensor : rows) print_row(*tensor, name_width, shape_width);
}

void print_params(const Shown& shown) {
  const auto& params = shown.trained.model.description.model.params;
  bool first = true;
  for (const Tensor& tensor : shown.tensors) {
    if (std::string_view(tensor.kind) != "param") continue;
    const auto param = std::find_if(params.begin(), params.end(), [&](const auto& candidate) {
      return candidate.name.text == tensor.desc.name;
    });
    if (std::exchange(first, false)) fmt::print("\n  {}\n", styled("free parameters", Style::bold));
    std::string bounds =
        param->start ? fmt::format("began at {}", short_text(*param->start)) : "began at random";
    if (param->minimum) bounds += fmt::format(", at least {}", short_text(param->minimum->value));
    if (param->maximum) bounds += fmt::format(", at most {}", short_text(param->maximum->value));
    fmt::print("  {:<16} {:>14}   {}\n", printable(tensor.desc.name),
               fmt::format("{:.8g}", tensor.numbers[0]), bounds);
  }
}

// All numbers of small tensors, a line for each row of the last axis.
void print_values(const Tensor& tensor) {
  fmt::print("\n  {} {}\n", styled(printable(tensor.desc.name), Style::bold),
             size_text(tensor.desc.shape));
  if (tensor.numbers.size() > most_values) {
    fmt::print("  {} numbers are too many to read: --json prints them\n",
               with_commas(static_cast<int64_t>(tensor.numbers.size())));
    return;
  }
  const auto& shape = tensor.desc.shape;
  const auto row = static_cast<size_t>(shape.empty() ? 1 : shape.back());
  constexpr size_t a_line = 6;
  for (size_t at = 0; at < tensor.numbers.size(); at += row) {
    for (size_t i = 0; i < row; ++i) {
      const bool begins = i % a_line == 0;
      if (begins) fmt::print("{}{}", i == 0 ? "" : "\n", i == 0 ? "  " : "    ");
      fmt::print("{:>12}", fmt::format("{:.6g}", tensor.numbers[at + i]));
    }
    fmt::print("\n");
  }
}

// What the manifest tells of the training.
void print_head(const Shown& shown) {
  const Trained& trained = shown.trained;
  int64_t numbers = 0;
  for (const Tensor& tensor : shown.tensors) numbers += tensor.summary.numbers;
  fmt::print("{}  {} numbers in {} tensor{}\n", styled(trained.manifest.model_name, Style::bold),
             with_commas(numbers), shown.tensors.size(), shown.tensors.size() == 1 ? "" : "s");
  if (trained.folder.empty()) return;
  fmt::print("  run      {}\n", printable(trained.folder));
  const runtime::JsonReader facts(shown.facts, manifest_path_in(trained.folder));
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  if (facts.has("rows") && facts.at("rows").has("train")) {
    std::string text = with_commas(facts.at("rows").at("train").integer(0, most)) + " rows";
    if (facts.has("epochs")) {
      text += fmt::format(", {} epochs", with_commas(facts.at("epochs").integer(0, most)));
    }
    if (facts.has("kept_epoch")) {
      text += fmt::format("; these are the weights of epoch {}",
                          facts.at("kept_epoch").integer(0, most));
    }
    fmt::print("  trained  {}\n", text);
  }
}

Exit show(const Flags& flags) {
  const Shown shown = collect(flags);
  if (flags.json) {
    print_as_json(shown, flags.values);
    return Exit::done;
  }
  print_head(shown);
  print_params(shown);
  print_table(shown, {"weight", "frozen weight"}, "weights");
  print_table(shown, {"statistic"}, "running statistics");
  print_table(shown, {"prepared"}, "prepared inputs");
  if (!flags.values) return Exit::done;
  for (const Tensor& tensor : shown.tensors) {
    if (std::string_view(tensor.kind) != "param") print_values(tensor);
  }
  return Exit::done;
}

}  // namespace

void add_show(CLI::App& app, Action& action) {
  CLI::App* sub = app.add_subcommand("show", "the weights and free parameters of a run");
  auto flags = std::make_shared<Flags>();
  sub->add_option("RUN", flags->run, "run folder")->required();
  sub->add_option("NAME", flags->names, "only these: a layer (fc1) or a tensor (fc1.kernel)");
  sub->add_flag("--values", flags->values, "all numbers of small tensors too");
  sub->add_flag("--json", flags->json,
                "one JSON object on standard output; with --values all numbers of all tensors");
  sub->callback([&action, flags] { action = [flags] { return show(*flags); }; });
}

}  // namespace nnc::tool
