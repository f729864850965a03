// Words with tags in columns, as tasks of CoNLL and Universal Dependencies have them.
//
//   TaggedTexts chunks = read_tagged_texts({"train.txt"});
//   expect_trainable(chunks);
//   for (const TaggedSentence& sentence : chunks.sentences) use(sentence.words, sentence.tags);
//
//   ColumnReader reader("new.conllu", {.tag_column = "upos", .tags_needed = false});
//   for (ColumnSentence sentence; reader.next(sentence);) std::cout << with_tags(sentence, tags_of(sentence.words));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll {

// How words and tags stand in a file. Lines end in LF or CR LF; a blank line holds nothing but ASCII white space.
enum class ColumnFormat {
  // A word per line, with columns between tabs, where the first word's line has one, else between blanks. A blank line
  // ends a sentence, and so does a line whose first column is "-DOCSTART-", which belongs to none. Lines before the
  // first word of a sentence that begin with "#" are comments, unless they have as many columns as the first line that
  // does not begin so: then "#" is a word.
  kColumns,
  // CoNLL-U: ten columns between tabs, which have names: id, form, lemma, upos, xpos, feats, head, deprel, deps, misc.
  // Lines that begin with "#" are comments. Ranges of words (1-2) and empty nodes (1.1) are skipped: they have no tag.
  kConllu,
  // A sentence per line, of words between ASCII white space, without tags. A blank line is a sentence without words.
  kText,
};

// "columns", "conllu", "text".
[[nodiscard]] std::string_view column_format_name(ColumnFormat format) noexcept;

// The format with this name. Throws Error{kUsage} listing the known ones if there is none.
[[nodiscard]] ColumnFormat parse_column_format(std::string_view name);

struct ColumnOptions {
  // Unset: a file that ends in .conllu or .conll-u (before .gz) is kConllu, and so is one whose first line, comments
  // aside, has ten columns between tabs, of which the first is an id. Any other is kColumns if tags are needed. Else it
  // is kColumns if that line has a tab or -DOCSTART- is before it; or if all lines up to a blank one, 20 at most, have
  // as many columns, and either that is one and the lines are several, or half of them have one of `known_tags` in the
  // tag column, at least one with a letter in it. For "-", one line decides. Otherwise it is kText.
  std::optional<ColumnFormat> format = {};
  std::vector<std::string> known_tags = {};

  // Columns, by number from 1 or by the name of kConllu. Empty: words are in `form` or the first column, tags in `upos`
  // or the last column of several. A tag column right after the last one is new where tags are not needed, and so is
  // "new": each word's line then gets a tag at its end.
  std::string word_column = {};
  std::string tag_column = {};
  // Where `tag_column` is empty: the column in which tags were when a model was trained. A name counts in kConllu alone
  // and a number in kColumns alone; where tags are not needed, a number beyond the last column means "new".
  std::string usual_tag_column = {};

  // Whether words have tags, which are read; if not, none are read, and a file need not have the column.
  bool tags_needed = true;
};

// The bytes [first, first + size) of a text.
struct TagPlace {
  std::size_t first = 0;
  std::size_t size = 0;
};

// A sentence, and all bytes of the file from the end of the one before it to its own end, the blank line included.
struct ColumnSentence {
  std::vector<std::string> words = {};  // none: the rest of a file after its last word, or a blank line of kText
  std::vector<std::string> tags = {};   // one per word; empty where they are not needed
  std::int64_t line = 0;                // of the first word, from 1; 0 without words
  bool after_boundary = false;          // a -DOCSTART- line stands before it

  std::string bytes = {};             // a byte-order mark and carriage returns included
  std::vector<TagPlace> places = {};  // of the words' tags in `bytes`; kText: none
  std::string separator = {};         // what is written before a tag: empty, unless the column is new
  ColumnFormat format = ColumnFormat::kColumns;
};

// The bytes of a sentence with these tags, one per word: all others are as they were. kText: a line "word TAB tag" per
// word, and a blank line. Throws Error{kUsage} if the tags are not as many as the words.
[[nodiscard]] std::string with_tags(const ColumnSentence& sentence, std::span<const std::string> tags);

// The line of a word in its file, from 1.
[[nodiscard]] std::int64_t line_of(const ColumnSentence& sentence, std::size_t word);

// Reads sentences one after another, in memory for one of any length. One thread at a time.
class ColumnReader {
 public:
  // `path` is a file, a .gz, or "-" for standard input. Throws Error{kUsage} naming the field for columns that are not
  // a number from 1 or a name, and for tags of kText; Error{kFile} as LineReader does.
  explicit ColumnReader(const std::string& path, const ColumnOptions& options = {});
  ~ColumnReader();
  ColumnReader(ColumnReader&&) noexcept;
  ColumnReader& operator=(ColumnReader&&) noexcept;

  // The next sentence; false at the end. Whoever writes with_tags() of all has written the file.
  //
  // Throws Error{kInput} naming file, line and column (characters, from 1): a line with too few columns; another number
  // of columns than the first, where the tag column is the last; columns of kConllu that are not ten, and an id that is
  // not one; a word that is empty; where tags are needed, one that is empty, or "_" for a tag of upos or deprel; words
  // and tags that are not UTF-8. Throws Error{kUsage} for a name of a column of kConllu in another format. Later calls
  // throw the same error again.
  bool next(ColumnSentence& sentence);

  // Whether next() would return at once. A caller that answers a pipe writes what it has when this is false.
  [[nodiscard]] bool ready();

  // What messages call the file, and what was found by the first call of next(): how it is read, and the tag column, as
  // options give it: "3", or in kConllu its name.
  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] ColumnFormat format() const noexcept;
  [[nodiscard]] std::string tag_column() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct TaggedSentence {
  std::vector<std::string> words = {};  // at least one; not empty, UTF-8
  std::vector<std::int32_t> tags = {};  // places in TaggedTexts::tags, one per word
  std::int32_t file = 0;                // place in TaggedTexts::files
  std::int64_t line = 0;                // of its first word, from 1
};

struct TaggedTexts {
  std::vector<TaggedSentence> sentences = {};  // in the order of the files
  std::vector<std::string> tags = {};          // each once, in the order of their bytes
  std::vector<std::string> files = {};         // paths
  std::vector<std::string> columns = {};       // of each file, the tag column: "3", "upos"
  std::int64_t words = 0;

  // What messages call the place of a sentence: "'train.txt', line 3".
  [[nodiscard]] std::string place(std::size_t sentence) const;
};

// Reads the sentences of all files, one after another, in linear time. Tags are needed. Throws as ColumnReader does,
// and Error{kInput} if there is no word.
[[nodiscard]] TaggedTexts read_tagged_texts(const std::vector<std::string>& paths, const ColumnOptions& options = {});

// Throws Error{kInput} if a tagger cannot be trained on the texts: one tag alone; more tags than a column of tags has:
// more than 100 and a tenth of the words, more than 1,000 and a fiftieth, or more than 10,000 ("51,105 tags of 204,607
// words in column xpos of 'en.conllu': is this the right column?").
void expect_trainable(const TaggedTexts& texts);

// Makes texts.tags begin with `tags`, all of them and in their order; tags of the texts that are not among them come
// after these.
void renumber_tags(TaggedTexts& texts, std::span<const std::string> tags);

}  // namespace unroll
