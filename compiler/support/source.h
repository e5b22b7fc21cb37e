// Places in the user's files. Every value of a model file, and every IR node made from it, carries
// a span, so that any later stage can point at the text that caused a problem.
#pragma once

#include <memory>
#include <string>

namespace nnc {

// A text that diagnostics may quote. `text` keeps the whole file.
struct SourceFile {
  std::string path;
  std::string text;
};

// Lines and columns count from 1; columns count characters (code points), not bytes.
// A default span (line 0) means "no place".
struct SourceSpan {
  std::shared_ptr<const SourceFile> file;
  int line = 0;
  int column = 0;
  int length = 1;

  bool known() const { return line > 0; }
  std::string path() const { return file ? file->path : std::string(); }
};

}  // namespace nnc
