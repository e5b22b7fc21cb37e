// A YAML document as a tree in which every key and value knows its place. Built from yaml-cpp's
// events, never from its nodes: those take `yes` as true, 010 as 8, keep duplicate keys and resolve
// aliases silently. Tags, anchors, aliases, merge keys and duplicate keys are errors here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/support/diagnostics.h"

namespace nnc::language {

// What a file may ask for; beyond it, it is refused instead of exhausting memory or the stack.
struct YamlLimits {
  static constexpr size_t file_bytes = 8u << 20;
  static constexpr size_t nodes = 500'000;
  static constexpr size_t keys = 10'000;  // of one map
  static constexpr int depth = 48;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  enum class Style { plain, quoted, block };  // of scalars; block: | or >

  Kind kind = Kind::null;
  Style style = Style::plain;
  bool flow = false;     // of lists and maps: [..] or {..}
  bool absent = false;   // of null: nothing was written (as opposed to `null` or `~`)
  bool refused = false;  // of null: something was written, and reported, that cannot be a value
  bool damaged = false;  // of maps: keys were dropped after a reported mistake
  std::string text;      // of scalars
  SourceSpan span;       // of an absent value: its key
  size_t offset = std::string::npos;  // of a scalar: the byte of the file that it starts at
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_list() const { return kind == Kind::list; }
  bool is_map() const { return kind == Kind::map; }
  bool is_plain() const { return is_scalar() && style == Style::plain; }

  // The value of a key of a map; null if there is none.
  const YamlNode* find(const std::string& key) const;
  YamlNode* find(const std::string& key);
};

struct YamlEntry {
  YamlNode key;  // a scalar
  YamlNode value;
};

// Reads a file for diagnostics and for parsing. Reports an unreadable, too large or non-UTF-8 file
// and returns null. Line ends become \n and a byte order mark is dropped.
std::shared_ptr<const SourceFile> read_source(const std::string& path, Diagnostics& diagnostics);
std::shared_ptr<const SourceFile> source_from_text(std::string text, const std::string& path,
                                                   Diagnostics& diagnostics);

// The one document of the file. None if it cannot be understood as YAML; duplicate keys, tags and
// the like are reported, but the tree is still returned so that other mistakes are found too.
std::optional<YamlNode> parse_yaml(const std::shared_ptr<const SourceFile>& file,
                                   Diagnostics& diagnostics);

// ---- the core schema of YAML 1.2

// 12, -3, 010 (ten), 0o17, 0x1F. None for anything else, or if it does not fit 64 bits.
std::optional<int64_t> core_integer(const std::string& text);
// The above, 1.5, .5, 1e-3. None for infinities and NaN as well.
std::optional<double> core_number(const std::string& text);
// Only true and false.
std::optional<bool> core_boolean(const std::string& text);
// .inf, .nan, 1e999: written like a number but not finite.
bool core_non_finite(const std::string& text);

// "a map", "a list", "the text 'x'", "the number 3", "nothing": for "got" lines.
std::string describe(const YamlNode& node);

}  // namespace nnc::language
