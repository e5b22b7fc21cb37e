// Tables in the width of the terminal: headings are broken, gaps narrowed, words shortened; what is
// still too wide is stacked, with its first column again.
#include <algorithm>
#include <numeric>

#include "compiler/support/text.h"
#include "tools/nnc/terminal.h"
#include "tools/nnc/width.h"

namespace nnc::tool {

namespace {

using Lines = std::vector<std::string>;

size_t width_of(const std::string& text) { return static_cast<size_t>(characters(text)); }

size_t width_of(const Lines& lines) {
  size_t width = 0;
  for (const std::string& line : lines) width = std::max(width, width_of(line));
  return width;
}

// Whether a cell is a number, so that its column is aligned to the right.
bool is_numeric(const std::string& cell) {
  return cell.empty() || cell == "-" || (cell[0] >= '0' && cell[0] <= '9') ||
         (cell[0] == '-' && cell.size() > 1);
}

// One column: its heading, in lines from the top, and its cells.
struct Column {
  Lines heading;
  Lines cells;
  bool numeric = true;

  size_t cell_width() const { return width_of(cells); }
  size_t width() const { return std::max(width_of(heading), cell_width()); }
};

// The heading in lines as narrow as the cells, or as its longest word.
void break_heading(Column& column) {
  const std::string text = column.heading[0];
  size_t most = column.cell_width();
  Lines words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    most = std::max(most, width_of(words.back()));
    begin = end + 1;
  }
  column.heading.clear();
  for (const std::string& word : words) {
    Lines& lines = column.heading;
    const bool fits = !lines.empty() && width_of(lines.back()) + 1 + width_of(word) <= most;
    if (fits) {
      lines.back() += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  if (column.heading.empty()) column.heading = {""};
}

void shorten(Column& column, size_t width) {
  for (std::string& line : column.heading) line = shortened(line, width);
  if (column.numeric) return;
  for (std::string& cell : column.cells) cell = shortened(cell, width);
}

class Layout {
 public:
  Layout(const Lines& headings, const std::vector<Lines>& rows) {
    for (size_t c = 0; c < headings.size(); ++c) {
      Column& column = columns_.emplace_back();
      column.heading = {headings[c]};
      for (const Lines& row : rows) {
        column.cells.push_back(row[c]);
        column.numeric = column.numeric && is_numeric(row[c]);
      }
    }
    rows_ = rows.size();
  }

  void fit(size_t width) {
    if (total() <= width) return;
    for (Column& column : columns_) break_heading(column);
    if (total() <= width) return;
    gap_ = 1;
    shorten_words(width, usual_word);
    shorten_headings(width);
    shorten_words(width, least_word);
  }

  std::string text(size_t width, const std::vector<size_t>& rules) const {
    std::string result;
    for (size_t first = 1, last = 0; first < columns_.size() || last == 0; first = last) {
      last = first;
      size_t taken = indent + columns_[0].width();
      while (last < columns_.size() &&
             (last == first || taken + gap_ + columns_[last].width() <= width)) {
        taken += gap_ + columns_[last].width();
        ++last;
      }
      if (!result.empty()) result += "\n";
      result += block(first, last, rules);
      if (last >= columns_.size()) break;
    }
    return result;
  }

 private:
  static constexpr size_t indent = 2;
  static constexpr size_t least_heading = 5, least_word = 10, usual_word = 20;

  size_t total() const {
    size_t sum = indent - gap_;
    for (const Column& column : columns_) sum += gap_ + column.width();
    return sum;
  }

  // Names of classes stand above their numbers: the longest ones are cut, all to the same length.
  void shorten_headings(size_t width) {
    size_t longest = 0;
    for (const Column& column : columns_) longest = std::max(longest, width_of(column.heading));
    for (size_t most = longest; most >= least_heading && total() > width; --most) {
      for (Column& column : columns_) {
        if (column.numeric) shorten(column, std::max(column.cell_width(), most));
      }
    }
  }

  void shorten_words(size_t width, size_t least) {
    while (total() > width) {
      Column* widest = nullptr;
      for (Column& column : columns_) {
        const bool longer = widest == nullptr || column.width() > widest->width();
        if (!column.numeric && longer) widest = &column;
      }
      if (widest == nullptr || widest->width() <= least) return;
      const size_t over = total() - width;
      const size_t now = widest->width();
      shorten(*widest, now > least + over ? now - over : least);
    }
  }

  // A line of the first column and those from `first` to before `last`.
  template <class Cell>
  std::string line(size_t first, size_t last, const Cell& cell) const {
    std::string result(indent, ' ');
    const auto add = [&](const Column& column) {
      const std::string text = cell(column);
      const std::string space(column.width() - width_of(text), ' ');
      result += column.numeric ? space + text : text + space;
    };
    add(columns_[0]);
    for (size_t c = first; c < last; ++c) {
      result += std::string(gap_, ' ');
      add(columns_[c]);
    }
    result.erase(result.find_last_not_of(' ') + 1);
    return result;
  }

  std::string block(size_t first, size_t last, const std::vector<size_t>& rules) const {
    size_t height = 1, wide = columns_[0].width();
    for (const Column& column : columns_) height = std::max(height, column.heading.size());
    for (size_t c = first; c < last; ++c) wide += gap_ + columns_[c].width();
    const std::string rule = std::string(indent, ' ') + std::string(wide, '-') + "\n";
    std::string result;
    for (size_t i = 0; i < height; ++i) {
      result += styled(line(first, last,
                            [&](const Column& column) {
                              const size_t above = height - column.heading.size();
                              return i < above ? std::string() : column.heading[i - above];
                            }),
                       Style::bold) +
                "\n";
    }
    result += rule;
    for (size_t r = 0; r < rows_; ++r) {
      if (std::find(rules.begin(), rules.end(), r) != rules.end()) result += rule;
      result += line(first, last, [&](const Column& column) { return column.cells[r]; }) + "\n";
    }
    return result;
  }

  std::vector<Column> columns_;
  size_t rows_ = 0;
  size_t gap_ = 2;
};

std::vector<std::string> printable_words(std::vector<std::string> words) {
  for (std::string& word : words) word = printable(word);
  return words;
}

}  // namespace

Table::Table(std::vector<std::string> headings) : headings_(printable_words(std::move(headings))) {}

void Table::add(std::vector<std::string> cells) {
  rows_.push_back(printable_words(std::move(cells)));
}

std::string Table::text() const {
  const auto width = static_cast<size_t>(terminal_width());
  Layout layout(headings_, rows_);
  layout.fit(width);
  return layout.text(width, rules_);
}

}  // namespace nnc::tool
