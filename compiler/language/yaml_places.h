// From yaml-cpp's marks (line from 0, column in bytes) to spans, by looking at the text itself.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/support/source.h"

namespace nnc::language {

class Places {
 public:
  explicit Places(std::shared_ptr<const SourceFile> file);

  int lines() const { return static_cast<int>(starts_.size()); }
  // Line from 0, without its end; empty past the last one.
  std::string_view line(int line) const;
  // The byte of the file at a mark.
  size_t offset(int line, int column) const;
  // The byte at a mark; 0 past the end.
  char at(int line, int column) const;

  // The first character of the file.
  SourceSpan start() const;
  // `length` bytes from a mark.
  SourceSpan span(int line, int column, int length) const;
  // The word at a mark: up to a space or one of , [ ] { }
  SourceSpan token(int line, int column) const;
  // A plain scalar: as much of `value` as stands on the line of the mark.
  SourceSpan plain(int line, int column, const std::string& value) const;
  // A scalar in quotes, up to its closing quote or the end of the line.
  SourceSpan in_quotes(int line, int column) const;

  // The characters that a span covers.
  std::string token_text(const SourceSpan& span) const;

  const std::shared_ptr<const SourceFile>& file() const { return file_; }

 private:
  // Characters before byte `bytes` of a line. Marks mostly grow, so the count goes on from the last
  // one: a file may be one very long line.
  int characters_before(int line, size_t bytes) const;

  std::shared_ptr<const SourceFile> file_;
  std::vector<size_t> starts_;  // byte at which each line starts
  mutable int counted_line_ = -1;
  mutable size_t counted_bytes_ = 0;
  mutable int counted_characters_ = 0;
};

// The byte after the closing quote of the scalar that starts at `at`; npos if it is never closed.
size_t end_of_quoted(std::string_view text, size_t at);

}  // namespace nnc::language
