#include "text/legacy_files.hpp"

namespace accelerate::text {

Parts read_parts_of_text(std::string_view text, std::string_view where) {
  try {
    return read_parts(Json::parse(text, ""));
  } catch (const Error& error) {
    throw error.within(where);
  }
}

Parts read_legacy_parts(const std::filesystem::path&, const Json&, const Json&) {
  throw Error(ErrorKind::not_found, "no tokenizer");
}

}  // namespace accelerate::text
