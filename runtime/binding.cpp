#include "runtime/binding.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "runtime/shape.h"

namespace nnc::runtime {
namespace {

// Null rows if there is no such input.
BatchInput find_input(const std::string& name, const Table& table,
                      const std::vector<BatchInput>& made) {
  for (const BatchInput& input : made) {
    if (input.name == name) return input;
  }
  const Column* column = table.find(name);
  if (column == nullptr) return {};
  return {name, column->dtype, column->row_elements(), column->bytes.data(), nullptr};
}

}  // namespace

Binding::Binding(const abi::EntryDesc& entry, const Table& table, void* state,
                 const ScalarOptions& scalars, const std::vector<BatchInput>& made)
    : entry_(&entry), options_(scalars), arena_(Buffer::zeros(entry.arena_bytes)) {
  bind_inputs(table, made);
  bind_scalars();
  for (const abi::OutputDesc& output : entry.outputs) {
    const int64_t rows = output.per_row ? std::max<int64_t>(entry.max_rows, 1) : 1;
    const auto count = static_cast<size_t>(rows * elements_of(output.shape));
    output_memory_.push_back(Buffer::zeros(count * abi::size_of(output.dtype)));
    outputs_.push_back(output_memory_.back().data());
  }
  context_.inputs = inputs_.data();
  context_.outputs = outputs_.data();
  context_.state = state;
  context_.arena = arena_.data();
}

void Binding::bind_inputs(const Table& table, const std::vector<BatchInput>& made) {
  for (const abi::InputDesc& input : entry_->inputs) {
    const BatchInput source = find_input(input.name, table, made);
    if (source.rows == nullptr) {
      throw std::invalid_argument(fmt::format(
          "'{}' needs the field '{}', which the data does not have", entry_->name, input.name));
    }
    if (source.dtype != input.dtype || source.row_elements != elements_of(input.row_shape)) {
      throw std::invalid_argument(
          fmt::format("'{}' was compiled for another type or shape of the field '{}'", entry_->name,
                      input.name));
    }
    inputs_.push_back(source.rows);
    made_indices_.push_back(source.indices);
  }
  indices_.resize(inputs_.size());
}

void Binding::bind_scalars() {
  for (const std::string& name : entry_->scalars) {
    Scalar kind = Scalar::named;
    size_t named = 0;
    if (name == "rate") {
      kind = Scalar::rate;
    } else if (name == "inverse_rows") {
      kind = Scalar::inverse_rows;
    } else if (name == "rows") {
      kind = Scalar::rows;
    } else if (name == "first_row") {
      kind = Scalar::first_row;
    } else if (name == "step") {
      kind = Scalar::step;
    } else if (name == "seed") {
      kind = Scalar::seed;
    } else {
      while (named < options_.named.size() && options_.named[named].name != name) ++named;
      if (named == options_.named.size()) {
        throw std::invalid_argument(
            fmt::format("'{}' asks for the number '{}', which nobody gives", entry_->name, name));
      }
    }
    scalar_kinds_.push_back(kind);
    scalar_named_.push_back(named);
  }
  scalars_.resize(scalar_kinds_.size());
}

// Scratch for so many threads.
void Binding::make_room(int threads) {
  const size_t bytes = entry_->arena_bytes + static_cast<size_t>(threads) * entry_->thread_bytes;
  if (arena_.size() < bytes) arena_ = Buffer::zeros(bytes);
  context_.arena = arena_.data();
}

void Binding::run(ThreadPool& pool, std::span<const int32_t> rows, const Clock& clock) {
  context_.inputs = inputs_.data();  // the object may have been moved
  context_.outputs = outputs_.data();
  context_.scalars = scalars_.data();
  context_.indices = indices_.data();
  for (size_t i = 0; i < indices_.size(); ++i) {
    indices_[i] = made_indices_[i] != nullptr ? made_indices_[i] : rows.data();
  }
  context_.rows = static_cast<int64_t>(rows.size());
  if (context_.rows > entry_->max_rows) {
    throw std::invalid_argument(fmt::format("'{}' takes {} rows at most, not {}", entry_->name,
                                            entry_->max_rows, context_.rows));
  }
  make_room(pool.threads());
  for (size_t i = 0; i < scalars_.size(); ++i) {
    switch (scalar_kinds_[i]) {
      case Scalar::rate: scalars_[i] = options_.rate * factor_at(options_.schedule, clock); break;
      case Scalar::inverse_rows:
        scalars_[i] = 1.0 / (static_cast<double>(rows.size()) * options_.mean_weight);
        break;
      case Scalar::rows: scalars_[i] = static_cast<double>(rows.size()); break;
      case Scalar::first_row: scalars_[i] = static_cast<double>(clock.first_row); break;
      case Scalar::step: scalars_[i] = static_cast<double>(clock.step + 1); break;
      case Scalar::seed: scalars_[i] = static_cast<double>(options_.seed); break;
      case Scalar::named: scalars_[i] = options_.named[scalar_named_[i]].value(clock); break;
    }
  }
  if (entry_->preferred_threads > 0 || pool.threads() == 1 || pool.oversubscribed()) {
    pool.run(*entry_, context_);
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  pool.run(entry_->function, context_, choice_.threads(pool.threads()), entry_->flush_to_zero);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  choice_.took(took.count());
}

}  // namespace nnc::runtime
