// Methods of str about case and classes of characters; string_methods.cpp lists them under Python's names.
#pragma once

#include "text/jinja/builtins.hpp"

namespace accelerate::text::jinja {

Value upper_method(Interpreter& interpreter, const Value& self, const Given& given);
Value lower_method(Interpreter& interpreter, const Value& self, const Given& given);
Value capitalize_method(Interpreter& interpreter, const Value& self, const Given& given);
Value title_method(Interpreter& interpreter, const Value& self, const Given& given);
Value swapcase_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isalpha_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isalnum_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isdigit_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isspace_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isascii_method(Interpreter& interpreter, const Value& self, const Given& given);
Value islower_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isupper_method(Interpreter& interpreter, const Value& self, const Given& given);
Value istitle_method(Interpreter& interpreter, const Value& self, const Given& given);
Value isidentifier_method(Interpreter& interpreter, const Value& self, const Given& given);

}  // namespace accelerate::text::jinja
