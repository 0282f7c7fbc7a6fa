#include "table/frame.h"

#include <algorithm>
#include <cstring>

#include "table/cells.h"

namespace dropscore::table {
namespace {

constexpr std::size_t text_block_bytes = std::size_t{1} << 20U;

/// Copies cells into blocks that the frame owns. Views stay valid as blocks are never moved.
class TextKeeper {
 public:
  explicit TextKeeper(std::vector<std::unique_ptr<char[]>>& blocks) : blocks_(blocks) {}

  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (left_ < text.size()) {
      left_ = std::max(text.size(), text_block_bytes);
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(left_));
      at_ = blocks_.back().get();
    }
    char* const kept = at_;
    std::memcpy(kept, text.data(), text.size());
    at_ += text.size();
    left_ -= text.size();
    return {kept, text.size()};
  }

 private:
  std::vector<std::unique_ptr<char[]>>& blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace

Result<Frame> Frame::read(ByteSource& source, RowErrors& errors, const CsvOptions& options) {
  DROPSCORE_CHECK(options.validate());
  Frame frame;
  TextKeeper keeper(frame.text_);
  CsvReader reader(options);
  Batch batch;
  for (;;) {
    DROPSCORE_TRY(const CsvReader::Step step, reader.next(batch));
    if (step == CsvReader::Step::end) break;
    if (step == CsvReader::Step::need_bytes) {
      DROPSCORE_TRY(const std::size_t got, source.read(reader.room()));
      if (got == 0) {
        reader.finish();
      } else {
        reader.commit(got);
      }
      continue;
    }
    frame.cells_.resize(reader.header().size());
    for (const Row& row : batch.rows) {
      if (row.fault != RowFault::none) {
        add_error(errors, batch, row, reader.header());
        continue;
      }
      frame.lines_.push_back(row.line);
      for (std::size_t column = 0; column < frame.cells_.size(); ++column) {
        frame.cells_[column].push_back(keeper.keep(trim(batch.cell(row, column))));
      }
    }
  }
  frame.names_ = reader.header();
  frame.cells_.resize(frame.names_.size());
  frame.rows_ = frame.lines_.size();
  frame.notes_ = reader.notes();
  frame.decimal_comma_ = reader.dialect().decimal_comma;
  return frame;
}

}  // namespace dropscore::table
