// Marks what the shared library shows to programs; everything else in it is hidden. Valid C too.
//
//   class ACCELERATE_API Model { ... };          // also its type information, so that exceptions can be caught
//   ACCELERATE_API std::string_view version();
#pragma once

#if defined(__GNUC__) || defined(__clang__)
#define ACCELERATE_API __attribute__((visibility("default")))
#else
#define ACCELERATE_API
#endif
