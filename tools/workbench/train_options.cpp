#include "tools/workbench/train_options.h"

#include <cmath>
#include <map>

#include "compiler/support/diagnostics.h"
#include "compiler/support/text.h"

namespace nnc::workbench {

namespace {

runtime::Duration duration(const Args& args, const std::string& key) {
  const Duration& value = args.at(key).duration();
  return {value.amount, value.steps};
}

runtime::Schedule schedule_of(const language::Choice& choice) {
  using Kind = runtime::Schedule::Kind;
  const Args& args = choice.args;
  runtime::Schedule result;
  if (args.has("warmup")) result.warmup = duration(args, "warmup");
  if (args.has("floor")) result.floor = args.number("floor");
  if (choice.kind == "constant") return result;
  if (choice.kind == "step" || choice.kind == "exponential") {
    result.kind = choice.kind == "step" ? Kind::step : Kind::exponential;
    result.factor = args.number("factor");
    result.every = duration(args, "every");
  } else if (choice.kind == "cosine") {
    result.kind = Kind::cosine;
    result.period = duration(args, "period");
    result.stretch = args.number("stretch");
  } else if (choice.kind == "linear" || choice.kind == "polynomial") {
    result.kind = Kind::polynomial;
    result.time = duration(args, "time");
    if (args.has("power")) result.power = args.number("power");
  } else if (choice.kind == "one_cycle") {
    result.kind = Kind::one_cycle;
    result.start = args.number("start");
    result.rise = args.number("rise");
  } else {
    throw InternalError("schedule '" + choice.kind + "' is not known to the runtime");
  }
  return result;
}

runtime::AugmentStep augment_step(const language::Choice& choice) {
  using Kind = runtime::AugmentStep::Kind;
  static const std::map<std::string, std::pair<Kind, const char*>> kinds = {
      {"shift", {Kind::shift, "by"}},           {"flip", {Kind::flip, ""}},
      {"rotate", {Kind::rotate, "degrees"}},    {"zoom", {Kind::zoom, "by"}},
      {"brightness", {Kind::brightness, "by"}}, {"contrast", {Kind::contrast, "by"}},
      {"noise", {Kind::noise, "deviation"}},    {"cutout", {Kind::cutout, "size"}}};
  const auto found = kinds.find(choice.kind);
  internal_check(found != kinds.end(), "augment step " + choice.kind + " passed the schema");
  const auto& [kind, amount] = found->second;
  runtime::AugmentStep step;
  step.kind = kind;
  const Args& args = choice.args;
  if (kind == Kind::flip) {
    step.horizontal = args.text("axis") != "vertical";
    step.vertical = args.text("axis") != "horizontal";
  } else {
    step.amount = args.number(amount);
  }
  if (args.has("border")) step.edge = args.text("border") == "edge";
  return step;
}

runtime::AugmentOptions augment_options(const language::Data& data) {
  runtime::AugmentOptions result;
  for (const language::Field& field : data.fields) {
    runtime::FieldAugment augment{field.name.text, {}};
    for (const language::Choice& step : field.augment) {
      if (step.kind == "mixup") {
        result.mixup = step.args.number("alpha");
      } else {
        augment.steps.push_back(augment_step(step));
      }
    }
    if (!augment.steps.empty()) result.fields.push_back(std::move(augment));
  }
  return result;
}

}  // namespace

runtime::ScalarOptions step_scalars(const language::Description& description, size_t step) {
  const language::Train& train = *description.train;
  const bool phases = !train.phases.empty();
  const language::Choice& optimizer = phases ? train.phases.at(step).optimizer : train.optimizer;
  const auto& schedule = phases ? train.phases.at(step).schedule : train.schedule;
  runtime::ScalarOptions result;
  if (optimizer.args.has("rate")) result.rate = optimizer.args.number("rate");
  if (schedule) result.schedule = schedule_of(*schedule);
  return result;
}

runtime::TrainOptions train_options(const language::Description& description) {
  const language::Train& train = *description.train;
  runtime::TrainOptions result;
  if (train.epochs) result.epochs = train.epochs->value;
  if (train.steps) result.steps = train.steps->value;
  result.batch = train.batch.all ? 0 : train.batch.rows;
  result.seed = static_cast<uint64_t>(train.seed.value);
  result.shuffle = train.shuffle.value;
  result.keep =
      train.keep.value == language::Keep::best ? runtime::Keep::best : runtime::Keep::last;
  if (train.early_stop) {
    result.watch = train.early_stop->watch.value;
    result.early_stop =
        runtime::EarlyStop{train.early_stop->patience.value, train.early_stop->min_delta};
  }
  if (train.phases.empty()) result.scalars = step_scalars(description, 0);
  if (description.data) result.augment = augment_options(*description.data);
  result.metadata = {{"model", description.name}};
  return result;
}

namespace {

// "0:1:10:epochs", what stands behind "ramp:" in the name of a scalar.
runtime::Ramp ramp_of(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(':', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  internal_check(parts.size() == 4, "ramp " + text);
  const auto number = [&](size_t i) { return parse_number(parts[i]).value(); };
  return {number(0), number(1), {number(2), parts[3] == "steps"}};
}

}  // namespace

std::vector<runtime::NamedScalar> named_scalars(const abi::EntryDesc& entry) {
  static const std::string correction = "bias_correction:", ramps = "ramp:";
  std::vector<runtime::NamedScalar> result;
  for (const std::string& name : entry.scalars) {
    if (name.starts_with(ramps)) {
      const runtime::Ramp ramp = ramp_of(name.substr(ramps.size()));
      result.push_back(
          {name, [ramp](const runtime::Clock& clock) { return runtime::value_at(ramp, clock); }});
    }
    if (!name.starts_with(correction)) continue;
    const double beta = parse_number(name.substr(correction.size())).value();
    result.push_back({name, [beta](const runtime::Clock& clock) {
                        return 1 / (1 - std::pow(beta, static_cast<double>(clock.step + 1)));
                      }});
  }
  return result;
}

}  // namespace nnc::workbench
