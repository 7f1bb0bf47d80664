// Formats as expressions. Each is stricter than its standard where that keeps it short, never looser: years from 1000
// to 2999, no leap seconds, names of ASCII, and lengths that end.
#include <array>

#include "decoding/constraint/schema_scalars.hpp"

namespace accelerate::decoding::constraint {
namespace {

#define DATE                                                                              \
  "([12]\\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|" \
  "02-(0[1-9]|1\\d|2[0-8]))|([12]\\d(0[48]|[2468][048]|[13579][26])|(1[26]|2[048])00)-02-29)"
#define TIME "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)"
#define DURATION_TIME "T(\\d{1,9}H(\\d{1,9}M(\\d{1,9}S)?)?|\\d{1,9}M(\\d{1,9}S)?|\\d{1,9}S)"
#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?"
#define OCTET "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
#define H "[0-9A-Fa-f]{1,4}"
#define PATH "[A-Za-z0-9._~!$&'()*+,;=:@-]"

struct Format {
  std::string_view name, expression;
};
constexpr std::array<Format, 10> kFormats{
    {{"date", DATE},
     {"time", TIME},
     {"date-time", DATE "T" TIME},
     {"duration", "P((\\d{1,9}Y(\\d{1,9}M(\\d{1,9}D)?)?|\\d{1,9}M(\\d{1,9}D)?|\\d{1,9}D)(" DURATION_TIME
                  ")?|" DURATION_TIME "|\\d{1,9}W)"},
     {"uuid", "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"},
     {"email", "[A-Za-z0-9_+-]{1,20}(\\.[A-Za-z0-9_+-]{1,20}){0,2}@" LABEL "(\\." LABEL "){1,4}"},
     {"ipv4", OCTET "(\\." OCTET "){3}"},
     {"ipv6", "((" H ":){7}" H "|(" H ":){1,7}:|(" H ":){1,6}:" H "|(" H ":){1,5}(:" H "){1,2}|(" H ":){1,4}(:" H
              "){1,3}|(" H ":){1,3}(:" H "){1,4}|(" H ":){1,2}(:" H "){1,5}|" H ":(:" H "){1,6}|:((:" H "){1,7}|:))"},
     {"hostname", LABEL "(\\." LABEL "){0,6}"},
     {"uri", "[a-z][a-z0-9+.-]{0,15}://" LABEL "(\\." LABEL "){0,6}(:[1-9]\\d{0,3})?(/" PATH "{0,40}){0,12}(\\?" PATH
             "{0,100})?(#" PATH "{0,40})?"}}};

}  // namespace

std::string_view expression_of_format(std::string_view format, const std::string& pointer) {
  std::string known;
  for (const Format& each : kFormats) {
    if (each.name == format) return each.expression;
    known += (known.empty() ? "" : ", ") + std::string(each.name);
  }
  wrong_schema("is \"" + std::string(format.substr(0, 40)) + "\", expected one of " + known, pointer,
               ErrorKind::unsupported);
}

}  // namespace accelerate::decoding::constraint
