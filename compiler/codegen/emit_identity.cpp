#include "compiler/codegen/emit_identity.h"

#include <fmt/format.h>

#include <cstring>
#include <string_view>

#include "compiler/kernel/canonical.h"

namespace nnc::codegen {

namespace {

// FNV-1a with words of eight bytes at a time, for weights of gigabytes: it tells models apart, and
// is no protection against somebody who wants two to look alike.
class Hash {
 public:
  void add(std::string_view text) {
    mix(text.size());
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= text.size(); at += sizeof(uint64_t)) {
      uint64_t word;
      std::memcpy(&word, text.data() + at, sizeof word);
      mix(word);
    }
    for (; at < text.size(); ++at) mix(static_cast<unsigned char>(text[at]));
  }
  void add(uint64_t number) { mix(number); }
  void add(const std::vector<std::string>& texts) {
    mix(texts.size());
    for (const std::string& text : texts) add(text);
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  void mix(uint64_t word) {
    hash_ = (hash_ ^ word) * UINT64_C(0x100000001b3);
    hash_ ^= hash_ >> 32;  // high bits of a word reach the low ones
  }

  uint64_t hash_ = UINT64_C(0xcbf29ce484222325);
};

void add_shape(Hash& hash, const std::vector<int64_t>& shape) {
  hash.add(shape.size());
  for (int64_t extent : shape) hash.add(static_cast<uint64_t>(extent));
}

void add_value(Hash& hash, const EmitValue& value) {
  hash.add(value.name);
  hash.add(static_cast<uint64_t>(value.dtype));
  add_shape(hash, value.row_shape);
  for (const auto& words : {value.words, value.columns, value.classes}) hash.add(words);
  hash.add(value.channels);
}

// Functions by what they compute, without their names and comments, which may say where in the
// model file they come from.
void add_kernels(Hash& hash, const kernel::Module& module) {
  static const std::string called = "kernel";
  for (const auto& function : module.functions)
    hash.add(
        kernel::encode(*function, [](const std::string&) -> const std::string& { return called; }));
}

void add_function(Hash& hash, const EmitFunction& function) {
  if (function.name != "predict") hash.add(function.name);
  for (const EmitValue& value : function.inputs) add_value(hash, value);
  for (const EmitValue& value : function.outputs) add_value(hash, value);
  hash.add(function.kernels);
  for (const EmitLevel& level : function.levels) {
    if (level.level != CppLevel::plain) continue;
    add_kernels(hash, *level.row.module);
    add_kernels(hash, *level.block.module);
  }
}

void add_layout(Hash& hash, const EmitRequest& request) {
  for (const abi::StateDesc& state : request.states) {
    hash.add(state.name);
    hash.add(static_cast<uint64_t>(state.dtype));
    add_shape(hash, state.stored_shape());
    hash.add(state.offset);
  }
  hash.add(request.state.size());
  for (const EmitFunction& function : request.functions) add_function(hash, function);
}

std::string_view bytes_of(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string kernels_hash(const std::vector<const kernel::Module*>& modules) {
  Hash hash;
  for (const kernel::Module* module : modules) add_kernels(hash, *module);
  return hash.text();
}

std::string layout_hash(const EmitRequest& request) {
  Hash hash;
  add_layout(hash, request);
  return hash.text();
}

std::string weights_hash(const EmitRequest& request) {
  Hash hash;
  add_layout(hash, request);
  hash.add(bytes_of(request.state));
  return hash.text();
}

std::string sealed(const std::string& text, const EmitRequest& request) {
  Hash hash;
  hash.add(text);
  hash.add(bytes_of(request.state));
  const std::string digits = hash.text();
  std::string result;
  result.reserve(text.size());
  for (char c : text) {
    if (c == own_hash) {
      result += digits;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace nnc::codegen
