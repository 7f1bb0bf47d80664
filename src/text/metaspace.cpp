#include "text/metaspace.hpp"

namespace accelerate::text {

MetaspaceRules metaspace_rules(const Json& json) {
  MetaspaceRules rules;
  rules.replacement = char_at(json, "replacement");
  if (const Json* scheme = json.find("prepend_scheme")) {
    const std::string& name = scheme->as_string();
    if (name == "always") {
      rules.prepend = PrependScheme::always;
    } else if (name == "first") {
      rules.prepend = PrependScheme::first;
    } else if (name == "never") {
      rules.prepend = PrependScheme::never;
    } else {
      throw Error(ErrorKind::corrupted, "found \"" + name + "\", expected always, first or never", "prepend_scheme");
    }
  } else if (!bool_or(json, "add_prefix_space", true)) {
    rules.prepend = PrependScheme::never;
  }
  rules.split = bool_or(json, "split", true);
  return rules;
}

}  // namespace accelerate::text
