#include "runtime/augment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/augment_row.h"

namespace nnc::runtime {
namespace {

using abi::DType;

const std::string mixed = ":mixup";

// exp(x) for x <= 0, the same everywhere: Taylor's series of x / 2^k, squared k times.
double own_exp(double x) {
  if (x < -700) return 0;
  int halvings = 0;
  for (; x < -0.5; x /= 2) ++halvings;
  double sum = 1;
  for (int k = 18; k >= 1; --k) sum = 1 + sum * x / k;
  for (; halvings > 0; --halvings) sum *= sum;
  return sum;
}

// A number from Beta(alpha, alpha) by Jöhnk's method: u^(1/a) / (u^(1/a) + v^(1/a)), if the sum is
// at most 1. Jöhnk, Metrika 8, 1964.
double beta(const RandomStream& stream, uint64_t row, double alpha) {
  constexpr uint64_t most_tries = 4096;
  for (uint64_t attempt = 0; attempt < most_tries; ++attempt) {
    const Words words = stream.block(row * most_tries + attempt);
    const double a = natural_log(1 - uniform_f64(words[0], words[1])) / alpha;
    const double b = natural_log(1 - uniform_f64(words[2], words[3])) / alpha;
    const double larger = std::max(a, b);
    const double sum = own_exp(a - larger) + own_exp(b - larger);  // times exp(larger)
    if (larger + natural_log(sum) <= 0) return own_exp(a - larger) / sum;
  }
  return 0.5;
}

RowShape shape_of(const Column& column) {
  RowShape shape;
  shape.range = column.dtype == DType::u8 ? 255 : 1;
  const std::vector<int64_t>& row = column.row_shape;
  if (row.size() == 2 || row.size() == 3) {
    shape.height = row[0];
    shape.width = row[1];
    shape.channels = row.size() == 3 ? row[2] : 1;
  }
  return shape;
}

template <class T>
void load(const void* from, std::span<double> to) {
  const T* values = static_cast<const T*>(from);
  for (size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(values[i]);
}

void load_row(const Column& column, int64_t row, std::span<double> to) {
  const char* from = column.bytes.as<char>() + static_cast<size_t>(row) * column.row_bytes();
  if (column.dtype == DType::u8) return load<uint8_t>(from, to);
  if (column.dtype == DType::f32) return load<float>(from, to);
  load<double>(from, to);
}

void store_row(const Column& column, std::span<const double> from, char* to) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (column.dtype == DType::u8) {
      reinterpret_cast<uint8_t*>(to)[i] =
          static_cast<uint8_t>(std::clamp(from[i], 0.0, 255.0) + 0.5);
    } else if (column.dtype == DType::f32) {
      reinterpret_cast<float*>(to)[i] = static_cast<float>(from[i]);
    } else {
      reinterpret_cast<double*>(to)[i] = from[i];
    }
  }
}

}  // namespace

std::vector<double> BatchInput::numbers(size_t count) const {
  const auto width = static_cast<size_t>(row_elements);
  std::vector<double> result(count * width);
  for (size_t i = 0; i < count; ++i) {
    const size_t at = static_cast<size_t>(indices[i]) * width * abi::size_of(dtype);
    const void* from = static_cast<const char*>(rows) + at;
    const std::span to = std::span(result).subspan(i * width, width);
    if (dtype == DType::u8) load<uint8_t>(from, to);
    if (dtype == DType::i32) load<int32_t>(from, to);
    if (dtype == DType::f32) load<float>(from, to);
    if (dtype == DType::f64) load<double>(from, to);
  }
  return result;
}

Augmenter::Augmenter(const AugmentOptions& options, const abi::EntryDesc& step, const Split& split,
                     int64_t most_rows, uint64_t seed)
    : options_(options), split_(split), seed_(seed) {
  order_.resize(static_cast<size_t>(most_rows));
  std::iota(order_.begin(), order_.end(), 0);
  partners_.resize(options.mixup > 0 ? order_.size() : 0);
  for (const abi::InputDesc& input : step.inputs) {
    const bool of_partner = options.mixup > 0 && input.name.ends_with(mixed);
    if (options.mixup > 0 && input.name == "mixup:share") {
      share_dtype_ = input.dtype;
      shares_ = Buffer::zeros(order_.size() * abi::size_of(input.dtype));
      inputs_.push_back({input.name, input.dtype, 1, shares_.data(), order_.data()});
    } else {
      const size_t length = input.name.size() - (of_partner ? mixed.size() : 0);
      add_field(input.name.substr(0, length), of_partner, most_rows);
    }
  }
}

void Augmenter::add_field(const std::string& name, bool of_partner, int64_t most_rows) {
  const Column* column = split_.table->find(name);
  if (column == nullptr) return;  // whoever reads it says so
  const auto own = std::find_if(options_.fields.begin(), options_.fields.end(),
                                [&](const FieldAugment& field) { return field.field == name; });
  const bool changes = own != options_.fields.end() && !own->steps.empty();
  BatchInput input{of_partner ? name + mixed : name, column->dtype, column->row_elements(),
                   column->bytes.data(), partners_.data()};
  if (changes) {
    const size_t bytes = static_cast<size_t>(most_rows) * column->row_bytes();
    targets_.push_back({column, own->steps, stream_of(("augment:" + name).c_str()), of_partner,
                        Buffer::zeros(bytes)});
    input.rows = targets_.back().rows.data();
    input.indices = order_.data();
  } else if (!of_partner) {
    return;  // read from the table as ever
  }
  inputs_.push_back(input);
}

// Any row of the split, the row itself included, and the share of the row.
void Augmenter::choose_partners() {
  const RandomStream choice{seed_, stream_of("mixup.partner"), epoch_, 0};
  const RandomStream shares{seed_, stream_of("mixup.share"), epoch_, 0};
  const uint64_t rows = split_.rows.size();
  for (size_t i = 0; i < batch_.size(); ++i) {
    const auto row = static_cast<uint64_t>(batch_[i]);
    partners_[i] = split_.rows[(uint64_t{choice.word(row)} * rows) >> 32];
    const double share = beta(shares, row, options_.mixup);
    if (shares_.size() == 0) continue;
    if (share_dtype_ == DType::f64) {
      shares_.as<double>()[i] = share;
    } else {
      shares_.as<float>()[i] = static_cast<float>(share);
    }
  }
}

void Augmenter::make_rows(int64_t thread, int64_t threads) {
  const auto count = static_cast<int64_t>(batch_.size());
  const int64_t begin = count * thread / threads;
  const int64_t end = count * (thread + 1) / threads;
  std::vector<double> row, scratch;
  for (Target& target : targets_) {
    const RowShape shape = shape_of(*target.column);
    row.resize(static_cast<size_t>(target.column->row_elements()));
    scratch.resize(row.size());
    for (int64_t i = begin; i < end; ++i) {
      const auto at = static_cast<size_t>(i);
      const int64_t of = target.of_partner ? partners_[at] : batch_[at];
      load_row(*target.column, of, row);
      augment_row(row, scratch, shape, target.steps,
                  {seed_, target.stream, epoch_, static_cast<uint64_t>(of)});
      store_row(*target.column, row, target.rows.as<char>() + at * target.column->row_bytes());
    }
  }
}

void Augmenter::run(ThreadPool& pool, std::span<const int32_t> rows, int64_t epoch) {
  batch_ = rows;
  epoch_ = static_cast<uint32_t>(epoch);
  if (options_.mixup > 0) choose_partners();
  if (targets_.empty()) return;
  abi::Context context;
  context.state = this;
  pool.run(
      [](const abi::Context* context, int64_t thread) {
        static_cast<Augmenter*>(context->state)->make_rows(thread, context->threads);
      },
      context, pool.threads(), false);
}

}  // namespace nnc::runtime
